import { Agent, request } from 'node:http';
import { Socket } from 'node:net';
import { bracketed } from '../settings/names.ts';
import { basic, type Credentials, type Endpoint, MANIFEST_TYPES, openConnection } from './client.ts';

const ANSWER_WITHIN = 60_000;

/** Asks one registry by HEAD, over a number of connections that stay open. */
export class Heads {
  readonly #agent: Agent;
  readonly #headers: Record<string, string>;

  constructor(endpoint: Endpoint, credentials: Credentials, connections: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.#agent.createConnection = (_, done) => {
      openConnection(endpoint).then(
        (socket) => done?.(null, socket),
        (error) => done?.(error, new Socket()),
      );
      return undefined;
    };
    const host = `${bracketed(endpoint.name)}:${endpoint.port}`;
    this.#headers = { host, authorization: basic(credentials), accept: `${MANIFEST_TYPES}, */*` };
  }

  /** @throws the network's error when there is no answer */
  status(path: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const asked = request({ method: 'HEAD', path, headers: this.#headers, agent: this.#agent });
      asked.setTimeout(ANSWER_WITHIN, () => asked.destroy(new Error('no answer within 60 s')));
      asked.once('error', reject);
      asked.once('response', (response) => {
        response.resume().once('end', () => resolve(response.statusCode ?? 0));
      });
      asked.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
