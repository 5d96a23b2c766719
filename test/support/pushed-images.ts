import { digestOf } from '../../src/registry/digest.ts';
import { MANIFEST_TYPE } from '../../src/registry/image.ts';
import type { RegistryCalls } from './registry-calls.ts';

const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
export const ANY_MANIFEST = `${INDEX_TYPE}, ${MANIFEST_TYPE}`;

export interface Pushed {
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
}

/** Pushes images of any shape, as somebody. */
export class ImagePusher {
  readonly #calls: RegistryCalls;
  readonly #as: string;

  constructor(calls: RegistryCalls, as: string) {
    this.#calls = calls;
    this.#as = as;
  }

  /** @param reference a tag; without one the image is pushed by its digest */
  async image(
    repository: string,
    reference: string | undefined,
    layers: readonly string[],
    subject?: Pushed,
  ): Promise<Pushed> {
    const config = JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      of: layers.map((each) => each.length),
    });
    const describe = async (mediaType: string, content: string) => ({
      mediaType,
      digest: await this.#calls.pushBlob(repository, content, this.#as),
      size: content.length,
    });
    const described = [];
    for (const layer of layers) described.push(await describe('application/octet-stream', layer));
    return this.#manifest(repository, reference, MANIFEST_TYPE, {
      config: await describe('application/vnd.oci.image.config.v1+json', config),
      layers: described,
      ...(subject === undefined ? {} : { subject }),
    });
  }

  async index(repository: string, tag: string, manifests: readonly Pushed[]): Promise<Pushed> {
    return this.#manifest(repository, tag, INDEX_TYPE, { manifests });
  }

  async delete(repository: string, { digest }: Pick<Pushed, 'digest'>): Promise<void> {
    const path = `/v2/${repository}/manifests/${digest}`;
    const { status } = await this.#calls.ask('DELETE', path, { as: this.#as });
    if (status !== 202) throw new Error(`${path}: the deletion was answered with ${status}`);
  }

  async #manifest(
    repository: string,
    reference: string | undefined,
    mediaType: string,
    content: object,
  ): Promise<Pushed> {
    const body = JSON.stringify({ schemaVersion: 2, mediaType, ...content });
    const digest = digestOf(Buffer.from(body));
    const path = `/v2/${repository}/manifests/${reference ?? digest}`;
    const headers = { 'content-type': mediaType };
    const { status, text } = await this.#calls.ask('PUT', path, { as: this.#as, body, headers });
    if (status !== 201) throw new Error(`${path} was answered with ${status}: ${text}`);
    return { digest, mediaType, size: body.length };
  }
}
