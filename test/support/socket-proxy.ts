import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface SocketProxy {
  /** For DOCKER_HOST. */
  readonly address: string;
  /** Breaks all connections as soon as a request line matches, once. */
  readonly cutOn: (request: RegExp) => void;
  /** Resolves when a request line matches. */
  readonly asked: (request: RegExp) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Stands between a client and the engine's socket, to break connections as an engine does that is restarted. */
export async function proxySocket(path: string, engine: string): Promise<SocketProxy> {
  const open = new Set<Socket>();
  let pattern: RegExp | undefined;
  const awaited: { request: RegExp; resolve: () => void }[] = [];
  const server = createServer((client) => {
    const upstream = connect(engine);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk) => {
      for (const { request, resolve } of awaited) if (request.test(String(chunk))) resolve();
      if (pattern?.test(String(chunk)) !== true) return;
      pattern = undefined;
      // The engine has heard it by then, and the client hears nothing any more.
      setImmediate(() => {
        for (const socket of open) socket.destroy();
      });
    });
    client.pipe(upstream);
    upstream.pipe(client);
  }).listen(path);
  await once(server, 'listening');
  return {
    address: `unix://${path}`,
    cutOn: (request) => {
      pattern = request;
    },
    asked: (request) => new Promise((resolve) => awaited.push({ request, resolve })),
    close: async () => {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}
