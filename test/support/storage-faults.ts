import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { shut } from './listening.ts';

export type Mood =
  | { readonly kind: 'well' }
  /** 503 SlowDown to everything, as S3 answers whom it throttles. */
  | { readonly kind: 'unwell' }
  | { readonly kind: 'slow'; readonly milliseconds: number };

const SLOW_DOWN = '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>';

/** In front of an S3 server, and as well as told. The Host header stays, so signatures hold. */
export class StorageFaults {
  readonly port: number;
  mood: Mood = { kind: 'well' };
  /** Requests that were answered with 503. */
  refused = 0;
  /** Requests that were kept waiting. */
  delayed = 0;
  readonly #server: Server;
  readonly #upstream: { readonly host: string; readonly port: number };

  private constructor(server: Server, upstream: { host: string; port: number }) {
    const address = server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
    this.#server = server;
    this.#upstream = upstream;
    server.on('request', (incoming: IncomingMessage, outgoing: ServerResponse) => {
      this.#serve(incoming, outgoing).catch(() => outgoing.destroy());
    });
  }

  static async start(upstream: { host: string; port: number }): Promise<StorageFaults> {
    const server = createServer().listen(0, upstream.host);
    await once(server, 'listening');
    return new StorageFaults(server, upstream);
  }

  async close(): Promise<void> {
    await shut(this.#server);
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    if (this.mood.kind === 'unwell') {
      this.refused += 1;
      incoming.resume();
      outgoing.writeHead(503, { 'content-type': 'application/xml', connection: 'close' }).end(SLOW_DOWN);
      return;
    }
    if (this.mood.kind === 'slow') {
      this.delayed += 1;
      await sleep(this.mood.milliseconds);
    }
    const { method, url, headers } = incoming;
    const onward = request({ ...this.#upstream, method, path: url, headers, agent: false });
    onward.once('error', () => outgoing.destroy());
    onward.once('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  }
}
