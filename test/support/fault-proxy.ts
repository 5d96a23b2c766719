import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request, type Server } from 'node:https';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { AcmeEndpoints } from './acme-endpoints.ts';
import type { Action, Asked, Kind, Rule } from './fault-rules.ts';
import { jsonObject, readJws } from './jws.ts';
import type { Pebble } from './pebble.ts';

/** A request and what came of it. */
export interface Recorded extends Asked {
  /** Of the answer that the client got; `undefined` when it got none, or none yet. */
  readonly status: number | undefined;
  /** Of the CA's own answer; `undefined` when it was not asked. */
  readonly upstream: number | undefined;
}

export interface ActiveRule {
  /** Requests that it has taken effect on. */
  readonly applied: () => number;
  readonly remove: () => void;
}

export interface FaultProxyOptions {
  /** Name or address of this machine as the clients know it, when they are not on it: a network's gateway. */
  readonly host?: string;
}

interface Answer {
  status: number;
  headers: Record<string, string | string[]>;
  body: string;
}

/**
 * An ACME server in front of Pebble that fails as told. Pebble is given the Host header unchanged, so the URLs in its
 * answers are the proxy's and signatures over them hold.
 */
export class FaultProxy {
  readonly directory: string;
  /** PEM file: the one that Pebble itself is trusted by. */
  readonly trust: string;
  readonly requests: Recorded[] = [];
  readonly #rules: { rule: Rule; applied: number }[] = [];
  readonly #sockets = new Map<string, Socket>();
  readonly #endpoints: AcmeEndpoints;
  readonly #pebble: Pebble;
  readonly #server: Server;

  private constructor(pebble: Pebble, server: Server, host: string) {
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { pathname } = new URL(pebble.directory);
    this.directory = `https://${host}:${port}${pathname}`;
    this.trust = pebble.trust;
    this.#endpoints = new AcmeEndpoints(pathname);
    this.#pebble = pebble;
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      const peer = peerOf(socket);
      this.#sockets.set(peer, socket);
      socket.once('close', () => this.#sockets.delete(peer));
    });
    server.on('tlsClientError', () => undefined); // a client that does not trust us is the test's matter
    server.on('request', (incoming: IncomingMessage, outgoing: ServerResponse) => {
      this.#serve(incoming, outgoing).catch(() => this.#reset(incoming));
    });
  }

  static async start(pebble: Pebble, { host }: FaultProxyOptions = {}): Promise<FaultProxy> {
    const folder = await mkdtemp(join(tmpdir(), 'moorage-proxy-'));
    const others = host === undefined ? [] : [host];
    const server = createServer(await pebble.ca.issue(folder, ['localhost', '127.0.0.1', ...others]));
    await rm(folder, { recursive: true });
    server.listen(0, host === undefined ? '127.0.0.1' : '0.0.0.0');
    await once(server, 'listening');
    const proxy = new FaultProxy(pebble, server, host ?? 'localhost');
    await proxy.#learnDirectory();
    return proxy;
  }

  add(rule: Rule): ActiveRule {
    const entry = { rule, applied: 0 };
    this.#rules.push(entry);
    const remove = () => {
      const index = this.#rules.indexOf(entry);
      if (index >= 0) this.#rules.splice(index, 1);
    };
    return { applied: () => entry.applied, remove };
  }

  /** Takes all rules away. */
  clear(): void {
    this.#rules.length = 0;
  }

  /** The requests of one kind, in the order they came. */
  seen(kind: Kind): readonly Recorded[] {
    return this.requests.filter((recorded) => recorded.kind === kind);
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets.values()) socket.destroy();
    await once(this.#server, 'close');
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/' } = incoming;
    const body = await text(incoming);
    const kind = this.#endpoints.kindOf(path);
    const asked: Asked = { kind, method, path, ...readJws(body), at: new Date() };
    const record = {
      ...asked,
      status: undefined as number | undefined,
      upstream: undefined as number | undefined,
    };
    this.requests.push(record);

    const actions = this.#take(asked);
    for (const action of actions) if (action.kind === 'delay') await delayed(action.by);
    const fault = actions.find(isFault);
    if (fault?.kind === 'silence') return;
    if (fault?.kind === 'reset' && fault.moment === 'before') return this.#reset(incoming);

    const answer = fault?.kind === 'answer' ? inItsPlace(fault) : await this.#forward(incoming, body);
    if (fault === undefined && !this.#pebble.reuses && isReused(kind, answer)) {
      this.requests.splice(this.requests.indexOf(record), 1);
      outgoing.writeHead(400, { ...answer.headers, ...PROBLEM }).end(ASK_AGAIN);
      return;
    }
    if (fault?.kind !== 'answer') {
      record.upstream = answer.status;
      this.#learn(kind, answer);
    }
    if (fault?.kind === 'reset') return this.#reset(incoming);

    for (const action of actions) rewrite(answer, action);
    record.status = answer.status;
    outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  }

  /** What the rules say of a request; it counts against their `times`. */
  #take(asked: Asked): Action[] {
    const actions: Action[] = [];
    for (const entry of this.#rules) {
      const { act } = entry.rule;
      if (!matches(entry.rule, entry.applied, asked) || (isFault(act) && actions.some(isFault))) continue;
      entry.applied += 1;
      actions.push(act);
    }
    return actions;
  }

  async #forward({ method, url, headers }: Forwarded, body: string): Promise<Answer> {
    const { connection, 'accept-encoding': encoding, ...onward } = headers;
    const options = { ...this.#pebble.endpoint(), ca: this.#pebble.ca.certificate, agent: false };
    const upstream = request({ ...options, method, path: url, headers: onward }).end(body);
    const [answer]: IncomingMessage[] = await once(upstream, 'response');
    if (answer === undefined) throw new Error('unreachable: the event carries the answer');
    const kept = Object.entries(answer.headersDistinct).filter(([name]) => !OF_THE_CONNECTION.has(name));
    const distinct = kept.map(([name, values = []]) => [name, values.length === 1 ? values[0] : values]);
    return {
      status: answer.statusCode ?? 0,
      headers: Object.fromEntries(distinct),
      body: await text(answer),
    };
  }

  #learn(kind: Kind, { headers, body }: Answer): void {
    const { location } = headers;
    this.#endpoints.learn(kind, typeof location === 'string' ? location : undefined, jsonObject(body) ?? {});
  }

  /** So that rules know the endpoints even if the client has its directory from before. */
  async #learnDirectory(): Promise<void> {
    const { pathname, host } = new URL(this.directory);
    const headers = { host, 'user-agent': 'moorage-test' };
    this.#learn('directory', await this.#forward({ method: 'GET', url: pathname, headers }, ''));
  }

  /** Only the TCP connection below TLS can be reset. */
  #reset({ socket }: IncomingMessage): void {
    this.#sockets.get(peerOf(socket))?.resetAndDestroy();
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

interface Forwarded {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
]);

/** Pebble told to use 0 % of the authorizations again uses 1 % (wfe.go, makeAuthorizations): such an order is ready at once. */
function isReused(kind: Kind, { status, body }: Answer): boolean {
  return kind === 'newOrder' && status === 201 && jsonObject(body)?.status === 'ready';
}

const PROBLEM = { 'content-type': 'application/problem+json' };
/** A client that has a bad nonce asks once more, with the one that comes with this (RFC 8555 section 6.5). */
const ASK_AGAIN = JSON.stringify({
  type: 'urn:ietf:params:acme:error:badNonce',
  detail: 'an order was made',
});

function matches({ on, when, times }: Rule, applied: number, asked: Asked): boolean {
  const meant = on === 'any' || (typeof on === 'string' ? on === asked.kind : on.includes(asked.kind));
  return meant && (times === undefined || applied < times) && (when === undefined || when(asked));
}

type Fault = Extract<Action, { kind: 'answer' | 'reset' | 'silence' }>;

function isFault(action: Action): action is Fault {
  return action.kind === 'answer' || action.kind === 'reset' || action.kind === 'silence';
}

async function delayed(by: number | Promise<unknown>): Promise<void> {
  await (typeof by === 'number' ? sleep(by) : by);
}

function inItsPlace({ status, body = '', headers = {} }: Extract<Fault, { kind: 'answer' }>): Answer {
  return typeof body === 'string'
    ? { status, headers: { ...headers }, body }
    : { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

function rewrite(answer: Answer, action: Action): void {
  if (action.kind === 'headers') {
    for (const [name, value] of Object.entries(action.set)) {
      const before = answer.headers[name];
      answer.headers[name] =
        typeof value === 'string' ? value : value(typeof before === 'string' ? before : undefined);
    }
  }
  const json = action.kind === 'rewrite' ? jsonObject(answer.body) : undefined;
  if (action.kind === 'rewrite' && json !== undefined) {
    const changed = action.body(json);
    answer.body = typeof changed === 'string' ? changed : JSON.stringify(changed);
  }
}
