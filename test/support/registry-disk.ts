import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { digestOf } from '../../src/registry/digest.ts';

/** A folder as distribution 2.8 and 3.0 fill it (`registry/storage/paths.go`), spelled out. */
export class RegistryDisk {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static async make(): Promise<RegistryDisk> {
    return new RegistryDisk(await mkdtemp(join(tmpdir(), 'registry-disk-')));
  }

  /** Stores bytes, which no repository has yet. Answers their digest. */
  async store(content: string): Promise<string> {
    const digest = digestOf(Buffer.from(content));
    await this.#write(this.#data(digest), content);
    return digest;
  }

  /** Stores a layer and links it. */
  async layer(repository: string, content: string): Promise<string> {
    const digest = await this.store(content);
    await this.link(`${repository}/_layers/${slashed(digest)}`, digest);
    return digest;
  }

  /** Stores a manifest, links it, and lets a tag stand for it. */
  async manifest(repository: string, tag: string, content: string): Promise<string> {
    const digest = await this.store(content);
    await this.link(`${repository}/_manifests/revisions/${slashed(digest)}`, digest);
    await this.tag(repository, tag, digest);
    return digest;
  }

  tag(repository: string, tag: string, digest: string): Promise<void> {
    return this.link(`${repository}/_manifests/tags/${tag}/current`, digest);
  }

  /** Writes a link file. */
  link(place: string, target: string): Promise<void> {
    return this.#write(join('repositories', place, 'link'), target);
  }

  unlink(place: string): Promise<void> {
    return rm(this.#path(join('repositories', place, 'link')));
  }

  /** Changes what is stored under a digest. */
  damage(digest: string, content: string): Promise<void> {
    return this.#write(this.#data(digest), content);
  }

  /** Takes the bytes away, as a collection does. */
  collect(digest: string): Promise<void> {
    return rm(this.#path(this.#data(digest)));
  }

  #data(digest: string): string {
    const hex = digest.slice('sha256:'.length);
    return `blobs/sha256/${hex.slice(0, 2)}/${hex}/data`;
  }

  async #write(place: string, content: string): Promise<void> {
    await mkdir(dirname(this.#path(place)), { recursive: true });
    await writeFile(this.#path(place), content);
  }

  #path(place: string): string {
    return join(this.root, 'docker/registry/v2', place);
  }
}

/** `sha256/HEX` */
export function slashed(digest: string): string {
  return digest.replace(':', '/');
}
