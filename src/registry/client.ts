import { request as httpRequest } from 'node:http';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { checkServerIdentity, connect } from 'node:tls';
import { Failure, messageOf } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { digestOf } from './digest.ts';
import { type Blob, MANIFEST_TYPE } from './image.ts';

const TIMEOUT = 60_000;
/** For Accept: all manifests there are today. */
export const MANIFEST_TYPES = [
  MANIFEST_TYPE,
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ');

export interface Endpoint {
  /** What stands in the URL and in the certificate. */
  readonly name: string;
  readonly port: number;
  /** Where to connect to. Usually `name`; a loopback address where the name does not lead here. */
  readonly host: string;
  readonly trust: Trust;
}

/** How the server has to prove itself: by a CA the system knows, by one given here, or by being just this certificate. */
export type Trust =
  | { readonly kind: 'system' }
  /** Plain HTTP: it proves nothing. */
  | { readonly kind: 'plain' }
  | { readonly kind: 'authority'; readonly pem: string }
  /** SHA-256 in the form of X509Certificate.fingerprint256. */
  | { readonly kind: 'certificate'; readonly fingerprint: string };

export interface Credentials {
  readonly user: string;
  readonly password: Secret;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/** Speaks the OCI distribution API (distribution-spec 1.1) to one registry as one user. TLS is verified. */
export class RegistryClient {
  readonly #endpoint: Endpoint;
  readonly #credentials: Credentials | undefined;

  constructor(endpoint: Endpoint, credentials?: Credentials) {
    this.#endpoint = endpoint;
    this.#credentials = credentials;
  }

  /** The status of `GET /v2/`: 200 for a user, 401 for anybody else (end-1). */
  async check(): Promise<number> {
    return (await this.#ask('GET', '/v2/')).status;
  }

  /** Whatever the answer is. */
  read(path: string): Promise<Answer> {
    return this.#ask('GET', path);
  }

  /** POST, then PUT (end-4a, end-6). */
  async pushBlob(repository: string, { digest, bytes }: Blob): Promise<void> {
    const started = await this.#expect(202, 'POST', `/v2/${repository}/blobs/uploads/`);
    const url = new URL(started.headers.location ?? '', this.#base());
    url.searchParams.set('digest', digest);
    await this.#expect(201, 'PUT', `${url.pathname}${url.search}`, bytes, 'application/octet-stream');
  }

  /** The digest under which the registry stored it (end-7). */
  async pushManifest(repository: string, tag: string, { bytes }: Blob): Promise<string> {
    const answer = await this.#expect(201, 'PUT', `/v2/${repository}/manifests/${tag}`, bytes, MANIFEST_TYPE);
    return answer.headers['docker-content-digest'] ?? '';
  }

  /** The digest of what came, computed here. */
  async pullBlob(repository: string, digest: string): Promise<string> {
    return digestOf((await this.#expect(200, 'GET', `/v2/${repository}/blobs/${digest}`)).body);
  }

  /** Where the registry sends those who want a blob, with presigned URLs; `undefined`: it serves the blob itself. */
  async blobLocation(repository: string, digest: string): Promise<string | undefined> {
    const { status, headers } = await this.#ask('GET', `/v2/${repository}/blobs/${digest}`);
    return status === 307 ? headers.location : undefined;
  }

  async pullManifest(repository: string, reference: string): Promise<string> {
    return digestOf((await this.#expect(200, 'GET', `/v2/${repository}/manifests/${reference}`)).body);
  }

  async deleteManifest(repository: string, digest: string): Promise<void> {
    await this.#expect(202, 'DELETE', `/v2/${repository}/manifests/${digest}`);
  }

  #base(): string {
    const { name, port, trust } = this.#endpoint;
    return `${trust.kind === 'plain' ? 'http' : 'https'}://${isIP(name) === 6 ? `[${name}]` : name}:${port}`;
  }

  async #expect(status: number, method: string, path: string, body?: Buffer, type?: string): Promise<Answer> {
    const answer = await this.#ask(method, path, body, type);
    if (answer.status === status) return answer;
    if (answer.status === 507) throw diskFull(answer.body.toString());
    throw new Failure(
      'unexpected-answer',
      `${method} ${this.#base()}${path.replace(/\?.*/, '')} was answered with ${answer.status} instead of ${status}: ` +
        answer.body.toString().slice(0, 300).trim(),
      'Look into the logs: docker compose logs registry gate nginx',
    );
  }

  async #ask(method: string, path: string, body?: Buffer, type?: string): Promise<Answer> {
    const headers: Record<string, string> = { host: new URL(this.#base()).host, connection: 'close' };
    if (type !== undefined) headers['content-type'] = type;
    if (method === 'GET') headers.accept = `${MANIFEST_TYPES}, */*`;
    if (body !== undefined) headers['content-length'] = String(body.length);
    if (this.#credentials !== undefined) headers.authorization = basic(this.#credentials);
    const socket = await openConnection(this.#endpoint).catch((error) => {
      throw new Failure(
        'registry-silent',
        `${this.#base()} can't be reached at ${this.#endpoint.host}: ${messageOf(error)}.`,
        'Look into the logs: docker compose logs nginx',
        { cause: error },
      );
    });
    return new Promise((resolve, reject) => {
      const request = httpRequest({ method, path, headers, createConnection: () => socket });
      request.once('error', reject);
      request.once('response', (response) => {
        buffer(response).then(
          (content) =>
            resolve({ status: response.statusCode ?? 0, headers: single(response.headers), body: content }),
          reject,
        );
      });
      request.end(body);
    });
  }
}

/** RFC 7617. */
export function basic({ user, password }: Credentials): string {
  return `Basic ${Buffer.from(`${user}:${password.reveal()}`).toString('base64')}`;
}

/** RFC 4918 section 11.5; the gate says what is free and what is kept free. */
function diskFull(body: string): Failure {
  const message = /"message":"([^"]+)"/.exec(body)?.[1] ?? 'the disk of the images is full';
  return new Failure(
    'disk-full',
    `A push was refused: ${message}.`,
    'Free space there, or keep less free by DISK_RESERVE, then run this again.',
  );
}

/** A connection whose other end has proved itself, where it can; not a byte of a request is sent before. */
export function openConnection({ host, name, port, trust }: Endpoint): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const late = () => new Error(`no answer from ${host}:${port} within 60 s`);
    if (trust.kind === 'plain') {
      const plain = connectPlain({ host, port }, () => resolve(plain));
      plain.setTimeout(TIMEOUT, () => plain.destroy(late()));
      plain.once('error', reject);
      return;
    }
    const socket = connect({
      host,
      port,
      servername: isIP(name) === 0 ? name : '', // RFC 6066 section 3: no addresses
      ...(trust.kind === 'authority' ? { ca: trust.pem } : {}),
      ...(trust.kind === 'certificate' ? { rejectUnauthorized: false } : {}),
      ...(isIP(name) === 0
        ? {}
        : { checkServerIdentity: (_: string, peer) => checkServerIdentity(name, peer) }),
    });
    socket.setTimeout(TIMEOUT, () => socket.destroy(late()));
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const shown = socket.getPeerX509Certificate()?.fingerprint256;
      if (trust.kind === 'certificate' && shown !== trust.fingerprint) {
        socket.destroy(new Error(`${name}:${port} shows another certificate than the one deployed`));
      } else resolve(socket);
    });
  });
}

function single(headers: NodeJS.Dict<string | string[]>): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
}
