import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const MiB = 1024 * 1024;
/** From so many bytes on it is a layer that moves, and no question. */
const LAYER = 2 * MiB;

/** A port in front of another one, each of whose connections carries so many bytes a second in each direction. */
export class SlowLine {
  readonly port: number;
  readonly #server: Server;
  readonly #layers = { up: new Set<Socket>(), down: new Set<Socket>() };

  private constructor(server: Server) {
    const address = server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
    this.#server = server;
  }

  static async open(to: number, perSecond: number): Promise<SlowLine> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const line = new SlowLine(server);
    server.on('connection', (near) => {
      const far = connect({ host: '127.0.0.1', port: to, allowHalfOpen: true });
      void line.#carry(near, far, perSecond, line.#layers.up);
      void line.#carry(far, near, perSecond, line.#layers.down);
    });
    return line;
  }

  /** On how many connections a layer is on its way to the registry, and from it. */
  get layers(): { readonly up: number; readonly down: number } {
    return { up: this.#layers.up.size, down: this.#layers.down.size };
  }

  close(): void {
    this.#server.close();
  }

  /** What breaks on one side breaks on the other. */
  async #carry(from: Socket, to: Socket, perSecond: number, layers: Set<Socket>): Promise<void> {
    const broken = () => to.destroy();
    from.once('error', broken);
    from.once('close', () => layers.delete(from));
    let carried = 0;
    try {
      for await (const chunk of from) {
        carried += chunk.length;
        if (carried > LAYER) layers.add(from);
        if (!to.write(chunk)) await once(to, 'drain');
        await sleep((chunk.length / perSecond) * 1000);
      }
      to.end();
    } catch {
      broken();
    } finally {
      layers.delete(from);
    }
  }
}
