import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { listen, shut } from './listening.ts';

export interface WebrootServer {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** Serves a folder over plain HTTP on the loopback, as nginx does with the webroot of challenges. */
export async function serveWebroot(folder: string, host = '127.0.0.1', at = 0): Promise<WebrootServer> {
  const server = createServer(async ({ url = '' }, answer) => {
    const content = await readFile(join(folder, url)).catch(() => undefined);
    answer.writeHead(content === undefined ? 404 : 200).end(content);
  });
  return { port: await listen(server, host, at), close: () => shut(server) };
}
