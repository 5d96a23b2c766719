import { once } from 'node:events';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { paths } from '../src/paths.ts';
import { Secret } from '../src/secret.ts';
import { readIfExists } from '../src/system/files.ts';
import { parseHtpasswd } from '../src/users/htpasswd.ts';
import { verifyPassword } from '../src/users/password.ts';

// A placeholder: whoever has a password may do everything.
const SOCKET = '/run/gate/gate.sock';
const ALIVE_EVERY = 10_000;
/** Longer than nginx keeps an idle connection, so that it never writes into one that is just being closed. */
const KEEP_ALIVE = 120_000;
/** nginx takes headers of 32 KiB from a client; here the URI stands twice. */
const LARGEST_HEADER = 64 * 1024;

const file = paths('/moorage').usersFile;
const server = createServer(
  { keepAliveTimeout: KEEP_ALIVE, maxHeaderSize: LARGEST_HEADER },
  async (request, response) => {
    request.resume();
    const asked = request.url === '/ask';
    if (asked && (await isUser(request).catch(() => false))) {
      response.writeHead(204).end();
      return;
    }
    const headers = asked ? { 'x-verdict': 'placeholder' } : { 'www-authenticate': 'Basic realm="Moorage"' };
    const errors = [{ code: 'UNAUTHORIZED', message: 'authentication required' }];
    response.writeHead(401, { ...headers, 'content-type': 'application/json' });
    response.end(asked ? '' : JSON.stringify({ errors }));
  },
);
await rm(SOCKET, { force: true });
server.listen(SOCKET);
await once(server, 'listening');
await chmod(SOCKET, 0o666);

const touch = () => writeFile(join(tmpdir(), 'alive'), ''); // the health check looks at its age
await touch();
const beat = setInterval(() => void touch(), ALIVE_EVERY);
await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
clearInterval(beat);
server.close();
server.closeAllConnections();

async function isUser({ headers }: IncomingMessage): Promise<boolean> {
  const text = Buffer.from((headers.authorization ?? '').replace(/^Basic /i, ''), 'base64').toString();
  const { lines } = parseHtpasswd((await readIfExists(file)) ?? '', file);
  const line = lines.find((each) => each.kind === 'user' && text.startsWith(`${each.name}:`));
  if (line?.kind !== 'user') return false;
  return verifyPassword(new Secret(text.slice(line.name.length + 1)), line.hash);
}
