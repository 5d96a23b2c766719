import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { digestOf } from '../../src/registry/digest.ts';
import { MANIFEST_TYPE } from '../../src/registry/image.ts';
import type { GuardedStack } from './guarded-stack.ts';

const ACCEPT = `${MANIFEST_TYPE}, application/vnd.docker.distribution.manifest.v2+json`;

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
}

/** Reads images out of a stack and trusts nothing. */
export class StoredImages {
  readonly #stack: GuardedStack;
  readonly #agent = new Agent({ keepAlive: true, rejectUnauthorized: false });

  constructor(stack: GuardedStack) {
    this.#stack = stack;
  }

  close(): void {
    this.#agent.destroy();
  }

  /**
   * The digest of the image's config, after all of the image was pulled: each blob is what its digest says, and each
   * layer holds what the config says.
   * @throws when anything is missing or is not what it should be
   */
  async verified(repository: string, reference: string): Promise<string> {
    const manifest: Manifest = JSON.parse(
      (await this.#get(`/v2/${repository}/manifests/${reference}`)).toString(),
    );
    const config = await this.#blob(repository, manifest.config.digest);
    const { rootfs }: { rootfs: { diff_ids: readonly string[] } } = JSON.parse(config.toString());
    const contents = [];
    for (const { digest } of manifest.layers)
      contents.push(digestOf(unpacked(await this.#blob(repository, digest))));
    if (contents.join() !== rootfs.diff_ids.join())
      throw new Error(`${repository}:${reference} holds ${contents} instead of ${rootfs.diff_ids}`);
    return manifest.config.digest;
  }

  /** The tags there are; none where there is no such repository. */
  async tags(repository: string): Promise<readonly string[]> {
    const as = this.#stack.login('admin');
    const { status, text } = await this.#stack.calls.ask('GET', `/v2/${repository}/tags/list`, { as });
    if (status === 404) return [];
    return JSON.parse(text).tags ?? [];
  }

  async #blob(repository: string, digest: string): Promise<Buffer> {
    const bytes = await this.#get(`/v2/${repository}/blobs/${digest}`);
    if (digestOf(bytes) !== digest) throw new Error(`${repository}: ${digest} is ${digestOf(bytes)}`);
    return bytes;
  }

  async #get(path: string): Promise<Buffer> {
    const [host, port] = this.#stack.authority.split(':');
    const headers = { accept: ACCEPT };
    const auth = this.#stack.login('admin');
    const asked = request({ host, port, path, auth, headers, agent: this.#agent, rejectUnauthorized: false });
    const [answer] = await once(asked.end(), 'response');
    const body = await buffer(answer);
    if (answer.statusCode === 200) return body;
    throw new Error(`GET ${path} was answered with ${answer.statusCode}: ${body.toString().slice(0, 200)}`);
  }
}

function unpacked(layer: Buffer): Buffer {
  return layer.readUInt16BE(0) === 0x1f8b ? gunzipSync(layer) : layer;
}
