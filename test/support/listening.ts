import { once } from 'node:events';
import type { Server } from 'node:net';

/** Has a server listen, on a port that is free if none is given. Its port. */
export async function listen(server: Server, host = '127.0.0.1', at = 0): Promise<number> {
  server.listen(at, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on no port');
  return address.port;
}

/** Ends a server of HTTP with all its connections. */
export async function shut(server: Server & { closeAllConnections(): void }): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}
