import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { type Upstream, UpstreamAway } from './upstream.ts';

/** What distribution says to its upstream, and hears of it. */
const ASKED = ['accept', 'range', 'if-none-match'] as const;
const ANSWERED = [
  'content-type',
  'content-length',
  'content-range',
  'accept-ranges',
  'docker-content-digest',
  'etag',
  'link',
  'retry-after',
] as const;
/** The same complaint once a minute: who is away is asked often. */
const COMPLAIN_EVERY = 60_000;

export interface RelayParts {
  readonly upstream: Upstream;
  readonly now: () => Date;
  readonly log: (line: string) => void;
}

/**
 * What distribution takes for its upstream: always there and open to everybody. distribution itself does not start while
 * its upstream is away, and 2.8 knows no way to log in but tokens.
 */
export class Relay {
  readonly #parts: RelayParts;
  readonly #forMirror: Server;
  readonly #forNginx: Server;
  readonly #complained = new Map<string, number>();

  constructor(parts: RelayParts) {
    this.#parts = parts;
    const open = () =>
      createServer((request, response) => {
        this.#serve(request, response).catch((error) => this.#fail(error, request, response));
      });
    this.#forMirror = open();
    this.#forNginx = open();
  }

  /** For distribution, which knows no Unix sockets of others, and for nginx. Who has either may ask for everything. */
  async listen({ port, socketPath }: { readonly port: number; readonly socketPath: string }): Promise<void> {
    await rm(socketPath, { force: true });
    for (const [server, place] of [
      [this.#forMirror, port],
      [this.#forNginx, socketPath],
    ] as const) {
      server.listen(place);
      await once(server, 'listening');
    }
    await chmod(socketPath, 0o666);
  }

  async close(): Promise<void> {
    await Promise.all(
      [this.#forMirror, this.#forNginx].map(async (server) => {
        server.close();
        server.closeIdleConnections();
        await once(server, 'close');
      }),
    );
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '' } = request;
    if (method !== 'GET' && method !== 'HEAD') return refuse(response, 405, 'UNSUPPORTED', 'it is only read');
    if (url === '/v2/') {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      return;
    }
    const answer = await this.#parts.upstream.ask({
      method,
      uri: url,
      headers: pick(request.headers, ASKED),
    });
    const status = answer.statusCode ?? 502;
    if (status === 401 || status === 403) {
      answer.resume();
      this.#complain(
        `${url} was answered with ${status}: not there, or not for MIRROR_USERNAME`,
        String(status),
      );
      return refuse(
        response,
        404,
        'NAME_UNKNOWN',
        'the upstream has no such repository, or does not show it',
      );
    }
    response.writeHead(status, pick(answer.headers, ANSWERED));
    await pipeline(answer, response);
  }

  #fail(error: unknown, request: IncomingMessage, response: ServerResponse): void {
    if (response.headersSent || response.destroyed)
      response.destroy(); // cut on one side or the other
    else if (error instanceof UpstreamAway) {
      this.#complain(`the upstream does not answer: ${error.message}`, 'away');
      refuse(response, 503, 'UNAVAILABLE', 'the upstream does not answer');
    } else {
      this.#parts.log(`${request.url}: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
      refuse(response, 500, 'UNKNOWN', 'the relay failed; see its log');
    }
  }

  #complain(line: string, about: string): void {
    const now = this.#parts.now().getTime();
    if (now - (this.#complained.get(about) ?? 0) < COMPLAIN_EVERY) return;
    this.#complained.set(about, now);
    this.#parts.log(line);
  }
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const body = `${JSON.stringify({ errors: [{ code, message, detail: null }] })}\n`;
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

function pick(headers: IncomingMessage['headers'], names: readonly string[]): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string') kept[name] = value;
  }
  return kept;
}
