import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Below what outgoing connections get (32768 to 60999 on Linux), so that none takes a port before its server does. */
const [LOWEST, HIGHEST] = [10_000, 32_767];

/** That many different ports of the loopback that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const held: { port: number; server: Server }[] = [];
  while (held.length < count) {
    const port = randomInt(LOWEST, HIGHEST);
    const server = createServer();
    const bound = new Promise<boolean>((resolve) => {
      server.once('listening', () => resolve(true)).once('error', () => resolve(false));
    });
    server.listen(port, '127.0.0.1');
    if (await bound) held.push({ port, server });
  }
  for (const { server } of held) await once(server.close(), 'close');
  return held.map(({ port }) => port);
}
