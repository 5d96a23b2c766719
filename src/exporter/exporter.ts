import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { messageOf } from '../errors.ts';

export interface ExporterParts {
  readonly collect: () => Promise<string>;
  /** For what should not happen. */
  readonly tell: (line: string) => void;
}

/** `GET /metrics`, and nothing else. */
export class Exporter {
  readonly #parts: ExporterParts;
  readonly #server: Server;
  /** Whoever asks while another one waits gets the same. */
  #underWay: Promise<string> | undefined;

  constructor(parts: ExporterParts) {
    this.#parts = parts;
    this.#server = createServer((request, response) => {
      const wanted = request.method === 'GET' && /^\/metrics(\?|$)/.test(request.url ?? '');
      request.resume();
      if (wanted) void this.#answer(response);
      else response.writeHead(404, TEXT).end('There is nothing here but GET /metrics.\n');
    });
  }

  /** @returns the port, which the system chooses for 0 */
  async listen(port: number, host?: string): Promise<number> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(response: ServerResponse): Promise<void> {
    try {
      this.#underWay ??= this.#parts.collect();
      const text = await this.#underWay;
      response.writeHead(200, EXPOSITION).end(text);
    } catch (error) {
      this.#parts.tell(messageOf(error));
      response.writeHead(500, TEXT).end('The metrics can’t be collected; see the log.\n');
    } finally {
      this.#underWay = undefined;
    }
  }
}

const TEXT = { 'content-type': 'text/plain; charset=utf-8' };
const EXPOSITION = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };
