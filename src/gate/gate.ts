import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Answers } from './answers.ts';
import type { Content } from './decide.ts';
import { refuse } from './exchange.ts';
import { type Judgement, type JudgeParts, judge } from './judge.ts';
import type { GateMetrics } from './metrics.ts';
import { Passes } from './passes.ts';
import { readQuestion } from './question.ts';
import { Served } from './served.ts';
import type { Stored } from './stored.ts';
import { RegistrySilent, type Upstream } from './upstream.ts';

export interface GateParts extends JudgeParts {
  readonly upstream: Upstream;
  /** The registry's disk; without it everything is asked of the registry. */
  readonly stored: Stored | undefined;
  readonly metrics: GateMetrics;
  /** For what should not happen. */
  readonly tell: (line: string) => void;
}

/** What nginx asks by `auth_request`; everything else is a request that it left to the gate. */
const ASK = '/ask';
/** More than nginx takes from its clients (large_client_header_buffers, 4 of 8 KiB), as it hands the URI on in a header. */
const LONGEST_HEADERS = 64 * 1024;
/** nginx keeps its connections; it may drop them first. */
const KEEP_ALIVE = 5 * 60_000;
const REGISTRY_RETRY = 5;

/** Answers nginx over a Unix socket: 204 lets a request through to the registry, 401 leaves it to the gate. */
export class Gate {
  readonly #parts: GateParts;
  readonly #passes: Passes;
  readonly #served: Served | undefined;
  readonly #answers: Answers;
  readonly #server: Server;
  #closing = false;

  constructor(parts: GateParts) {
    this.#parts = parts;
    this.#passes = new Passes(parts.clock);
    this.#served = parts.stored && new Served(parts.stored);
    this.#answers = new Answers(parts, this.#passes, this.#served);
    this.#server = createServer({ maxHeaderSize: LONGEST_HEADERS }, (request, response) => {
      // nginx keeps a connection as long as the gate does, and would go on asking one that ends.
      response.once('close', () => this.#closing && this.#server.closeIdleConnections());
      this.#serve(request, response).catch((error) => this.#fail(error, request, response));
    });
    this.#server.keepAliveTimeout = KEEP_ALIVE;
    this.#server.requestTimeout = 0; // bodies come as slowly as nginx lets them
  }

  /** A socket that a killed gate left is taken away first. nginx's workers are other users: all may connect. */
  async listen(socketPath: string): Promise<void> {
    await rm(socketPath, { force: true });
    // nginx may open some hundred connections at once, and is turned away where the queue is full.
    this.#server.listen({ path: socketPath, backlog: 4096 });
    await once(this.#server, 'listening');
    await chmod(socketPath, 0o666);
  }

  /** Answers what has been asked, and nothing more. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#server.close();
    this.#server.closeIdleConnections();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const question = readQuestion(request, this.#passes);
    const judgement = await judge(this.#parts, question);
    const user = userOf(judgement);
    if (user !== undefined) response.setHeader('x-user', user);
    const { decision } = judgement.kind === 'allowed' ? judgement : { decision: undefined };
    const { metrics } = this.#parts;
    if (request.url !== ASK) {
      metrics.judged(judgement);
      return this.#answers.give(judgement, { question, request, response });
    }
    // What is not let through comes again, to be answered.
    if (decision?.kind !== 'pass') return void response.writeHead(401).end();
    metrics.judged(judgement);
    const blob = await this.#blobFor(decision.reads, request);
    if (blob?.['x-blob'] !== undefined) metrics.blobHandedOut();
    response.writeHead(204, blob).end();
  }

  async #blobFor(content: Content | undefined, { headers }: IncomingMessage) {
    return content?.kind === 'blob' ? await this.#served?.blob(content, headers) : undefined;
  }

  #fail(error: unknown, request: IncomingMessage, response: ServerResponse): void {
    if (request.destroyed && response.destroyed) return; // the client is gone
    this.#parts.tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
    if (response.headersSent) response.destroy();
    else if (request.url === ASK) response.writeHead(500).end();
    else refuse(response, { kind: 'unavailable', seconds: REGISTRY_RETRY, because: because(error) });
  }
}

/** For nginx's log: whose request it is, with the token's id where there is one. Header bytes are Latin-1 to Node. */
function userOf({ caller }: Judgement): string | undefined {
  if (caller?.who.kind !== 'user') return undefined;
  const name = Buffer.from(caller.who.name).toString('latin1');
  return caller.token === undefined ? name : `${name}:${caller.token}`;
}

function because(error: unknown): string {
  return error instanceof RegistrySilent ? 'the registry does not answer' : 'the gate failed; see its log';
}
