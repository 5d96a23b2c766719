import { once } from 'node:events';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// A placeholder: lets everybody do everything.
const SOCKET = '/run/gate/gate.sock';
const ALIVE_EVERY = 10_000;
/** Longer than nginx keeps an idle connection, so that it never writes into one that is just being closed. */
const KEEP_ALIVE = 120_000;
/** nginx takes headers of 32 KiB from a client; here the URI stands twice. */
const LARGEST_HEADER = 64 * 1024;

const server = createServer(
  { keepAliveTimeout: KEEP_ALIVE, maxHeaderSize: LARGEST_HEADER },
  (request, response) => {
    request.resume();
    response.writeHead(request.url === '/ask' ? 204 : 404).end();
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
