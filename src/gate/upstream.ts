import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { systemCode } from '../errors.ts';
import type { Clock } from '../system/clock.ts';
import { PatientAgent } from './patient-agent.ts';

/** What the registry is asked by the gate itself. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query as they go over the wire. */
  readonly uri: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | Readable;
}

/** A registry that does not answer. */
export class RegistrySilent extends Error {
  override readonly name = 'RegistrySilent';
}

/** distribution's handlers take a moment for a large manifest on a slow disk; S3 may take longer. */
const TIMEOUT = 60_000;
/** A long list of tags that goes to a slow client holds a connection: some such clients are not to stop all the others. */
const AT_ONCE = 256;

/** The four kinds of manifests there are: without this header distribution would convert what it has, or deny that it has it. */
const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** The registry behind the gate, over its socket. It asks for no password. */
export class Upstream {
  readonly #socketPath: string;
  readonly #agent: PatientAgent;
  /** For bodies that come as slowly as clients send them: nobody else waits for those. nginx says how many there may be. */
  readonly #streams: PatientAgent;

  /** @param patience in ms: how long a request waits for a registry that is not there, or is just being replaced */
  constructor(socketPath: string, clock: Clock, patience: number) {
    this.#socketPath = socketPath;
    this.#agent = new PatientAgent(clock, patience, AT_ONCE);
    this.#streams = new PatientAgent(clock, patience, Infinity);
  }

  /** @throws RegistrySilent */
  ask({ method, uri, headers = {}, body }: UpstreamRequest): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      let answered = false;
      const framed = framing(headers, body);
      const outgoing = request(
        {
          socketPath: this.#socketPath,
          agent: body === undefined || Buffer.isBuffer(body) ? this.#agent : this.#streams,
          method,
          path: uri,
          timeout: TIMEOUT,
          headers: { host: 'registry', ...headers, ...framed },
        },
        (answer) => {
          answered = true;
          resolve(answer);
        },
      );
      outgoing.once('timeout', () => outgoing.destroy(new Error(`no answer within ${TIMEOUT / 1000} s`)));
      outgoing.once('error', (error) => {
        // A registry that ends closes connections that nobody uses, and this request was just too late.
        const late = outgoing.reusedSocket && systemCode(error) === 'ECONNRESET' && !answered;
        if (late && (method === 'GET' || method === 'HEAD')) resolve(this.ask({ method, uri, headers }));
        else reject(new RegistrySilent(error.message, { cause: error }));
      });
      if (body === undefined || Buffer.isBuffer(body)) outgoing.end(body);
      else pipeline(body, outgoing, () => {}); // what breaks shows as the error of `outgoing`
    });
  }

  /** The whole of an answer that is known to be small. */
  async read(
    asked: UpstreamRequest,
  ): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
    const answer = await this.ask(asked);
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: await buffer(answer) };
  }

  /** The digest behind a tag, or `undefined` when there is no such tag (end-3). */
  async digestOfTag(repository: string, tag: string): Promise<string | undefined> {
    const uri = `/v2/${repository}/manifests/${tag}`;
    const { status, headers } = await this.read({ method: 'HEAD', uri, headers: { accept: ACCEPT } });
    if (status === 404) return undefined;
    const digest = headers['docker-content-digest'];
    if (status === 200 && typeof digest === 'string') return digest;
    throw new RegistrySilent(`HEAD ${uri} was answered with ${status}`);
  }

  /** A manifest's bytes, or `undefined` when there is none (end-3). */
  async manifest(repository: string, reference: string): Promise<Buffer | undefined> {
    const uri = `/v2/${repository}/manifests/${reference}`;
    const { status, body } = await this.read({ method: 'GET', uri, headers: { accept: ACCEPT } });
    if (status === 404) return undefined;
    if (status === 200) return body;
    throw new RegistrySilent(`GET ${uri} was answered with ${status}`);
  }

  close(): void {
    this.#agent.destroy();
    this.#streams.destroy();
  }
}

/**
 * Every body is said to have its length or to come in chunks. Node says neither by itself for a GET, HEAD or DELETE, and
 * the registry would take what follows for another request, which nobody has judged.
 */
function framing(
  headers: Readonly<Record<string, string>>,
  body: UpstreamRequest['body'],
): Record<string, string> {
  if (body === undefined) return {};
  if (Buffer.isBuffer(body)) return { 'content-length': String(body.length) };
  return headers['content-length'] === undefined ? { 'transfer-encoding': 'chunked' } : {};
}
