import { request } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { digestOf } from '../../src/registry/digest.ts';
import { CONFIG_TYPE, MANIFEST_TYPE } from '../../src/registry/image.ts';
import type { Checkout } from './checkout.ts';

export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
export const ANY_MANIFEST = `${INDEX_TYPE}, ${MANIFEST_TYPE}`;

export interface Called {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Codes of the distribution spec's error body. */
  readonly codes: readonly string[];
}

export interface Call {
  /** `name:password`; none is anonymous. */
  readonly as?: string | undefined;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Speaks to a stack's registry byte for byte: nothing mends the path on its way. */
export class RegistryCalls {
  readonly #port: number;
  readonly #name: string;

  constructor({ env }: Pick<Checkout, 'env'>, name = 'localhost') {
    this.#port = Number(env.HTTPS_PORT);
    this.#name = name;
  }

  ask(method: string, path: string, { as, body, headers = {} }: Call = {}): Promise<Called> {
    const login = as === undefined ? {} : { authorization: `Basic ${Buffer.from(as).toString('base64')}` };
    return new Promise((resolve, reject) => {
      const asked = request({
        host: '127.0.0.1',
        port: this.#port,
        servername: this.#name,
        rejectUnauthorized: false,
        agent: false, // a connection that is kept ends when a server reloads, maybe under the next request
        method,
        path,
        headers: { host: `${this.#name}:${this.#port}`, ...login, ...headers },
      });
      asked.once('error', reject);
      asked.once('response', (response) => {
        buffer(response).then((content) => {
          const text = content.toString();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            codes: codesOf(text),
          });
        }, reject);
      });
      asked.end(body);
    });
  }

  /** An image's manifest, or an index. */
  manifest(repository: string, reference: string, as?: string): Promise<Called> {
    const path = `/v2/${repository}/manifests/${reference}`;
    return this.ask('GET', path, { as, headers: { accept: ANY_MANIFEST } });
  }

  /** Pushes a blob by POST and PUT. Answers its digest. */
  async pushBlob(repository: string, content: string, as: string): Promise<string> {
    const started = await this.ask('POST', `/v2/${repository}/blobs/uploads/`, { as });
    const digest = digestOf(Buffer.from(content));
    const { pathname, search } = new URL(String(started.headers.location), 'https://localhost');
    const uri = `${pathname}${search}&digest=${digest}`;
    const headers = { 'content-type': 'application/octet-stream' };
    const { status } = await this.ask('PUT', uri, { as, body: content, headers });
    if (status !== 201) throw new Error(`the blob was answered with ${status}`);
    return digest;
  }

  /** Pushes an image without layers, made different by `label`. */
  async pushImage(
    repository: string,
    tag: string,
    as: string,
    label = tag,
  ): Promise<Called & { digest: string }> {
    const config = JSON.stringify({ label });
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: {
        mediaType: CONFIG_TYPE,
        digest: await this.pushBlob(repository, config, as),
        size: config.length,
      },
      layers: [],
    });
    const headers = { 'content-type': MANIFEST_TYPE };
    const answer = await this.ask('PUT', `/v2/${repository}/manifests/${tag}`, {
      as,
      body: manifest,
      headers,
    });
    return { ...answer, digest: digestOf(Buffer.from(manifest)) };
  }
}

function codesOf(text: string): readonly string[] {
  if (!text.startsWith('{"errors"')) return [];
  const { errors }: { errors: { code: string }[] } = JSON.parse(text);
  return errors.map(({ code }) => code);
}
