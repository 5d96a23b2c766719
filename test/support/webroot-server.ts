import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';

export interface WebrootServer {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** Serves a folder over plain HTTP on the loopback, as nginx does with the webroot of challenges. */
export async function serveWebroot(folder: string, host = '127.0.0.1', at = 0): Promise<WebrootServer> {
  const server = createServer(async ({ url = '' }, answer) => {
    const content = await readFile(join(folder, url)).catch(() => undefined);
    answer.writeHead(content === undefined ? 404 : 200).end(content);
  }).listen(at, host);
  await once(server, 'listening');
  const address = server.address();
  const close = async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { port: typeof address === 'object' && address !== null ? address.port : 0, close };
}
