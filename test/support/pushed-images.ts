import { digestOf } from '../../src/registry/digest.ts';
import { CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE } from '../../src/registry/image.ts';
import { INDEX_TYPE, type RegistryCalls } from './registry-calls.ts';

export interface Pushed {
  readonly mediaType: string;
  readonly digest: string;
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

  /**
   * The same layers are the same image.
   * @param reference a tag; without one the image is pushed by its digest
   * @param about further fields of its manifest: `subject` and the like
   */
  async image(
    repository: string,
    reference: string | undefined,
    layers: readonly string[],
    about: object = {},
  ): Promise<Pushed> {
    const described: Pushed[] = [];
    for (const layer of layers) described.push(await this.#blob(repository, LAYER_TYPE, layer));
    const config = JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      of: described.map(({ digest }) => digest),
    });
    return this.#manifest(repository, reference, MANIFEST_TYPE, {
      config: await this.#blob(repository, CONFIG_TYPE, config),
      layers: described,
      ...about,
    });
  }

  index(repository: string, tag: string, manifests: readonly Pushed[]): Promise<Pushed> {
    return this.#manifest(repository, tag, INDEX_TYPE, { manifests });
  }

  async delete(repository: string, { digest }: Pick<Pushed, 'digest'>): Promise<void> {
    const path = `/v2/${repository}/manifests/${digest}`;
    const { status } = await this.#calls.ask('DELETE', path, { as: this.#as });
    if (status !== 202) throw new Error(`${path}: the deletion was answered with ${status}`);
  }

  async #blob(repository: string, mediaType: string, content: string): Promise<Pushed> {
    const digest = await this.#calls.pushBlob(repository, content, this.#as);
    return { mediaType, digest, size: Buffer.byteLength(content) };
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
    return { mediaType, digest, size: Buffer.byteLength(body) };
  }
}
