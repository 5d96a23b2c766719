import { readFile, stat } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import { blobPath, layerLink, onDisk, revisionLink, sha256Hex, tagLink } from '../inventory/layout.ts';
import type { Clock } from '../system/clock.ts';
import { type ManifestContent, ManifestContents } from './manifest-contents.ts';
import type { Reference } from './route.ts';

/** A blob as nginx finds it. */
export interface StoredBlob {
  /** Below the registry's `docker/registry/v2`, with a slash in front. */
  readonly path: string;
  readonly digest: string;
}

/** A manifest that a repository has. */
export interface StoredManifest extends ManifestContent {
  readonly digest: string;
}

/** What others than this registry change on its disk, an operator or a collection, is seen after so many ms. */
const SEEN_AFTER = 500;
const REMEMBERED = 20_000;

interface Looked<T> {
  readonly at: number;
  readonly changes: number;
  readonly found: Promise<T | undefined>;
}

/**
 * What the registry has on its disk. Only what a repository links is in it, whatever else the disk holds. `undefined`
 * is not "there is none": it is for the registry to say what there is instead.
 *
 * Links are read by libuv's threads, which costs 45 µs of CPU where readFileSync costs 7: a cold disk must not hold up
 * everybody. What was found holds for half a second, so that it is read rarely. Changes come through the gate, and each
 * voids all that was looked up or being looked up before it was over. What was not found is not remembered: blobs come
 * past the gate.
 */
export class Stored {
  readonly #root: string;
  readonly #clock: Clock;
  readonly #contents: ManifestContents;
  readonly #blobs = new LRUCache<string, Looked<StoredBlob>>({ max: REMEMBERED });
  readonly #manifests = new LRUCache<string, Looked<string>>({ max: REMEMBERED });
  #changes = 0;

  /** @param root distribution's `rootdirectory` */
  constructor(root: string, clock: Clock) {
    this.#root = root;
    this.#clock = clock;
    this.#contents = new ManifestContents(root);
  }

  /** A blob of a repository. */
  async blob(repository: string, digest: string): Promise<StoredBlob | undefined> {
    const hex = sha256Hex(digest);
    if (hex === undefined) return undefined;
    return this.#lookUp(this.#blobs, `${repository} ${hex}`, async () => {
      const linked = await readLink(this.#at(layerLink(repository, hex)));
      return linked === digest ? { path: `/${blobPath(hex)}`, digest } : undefined;
    });
  }

  /** A blob's bytes, or `undefined` when there is no such file. */
  async sizeOf({ digest }: StoredBlob): Promise<number | undefined> {
    const hex = sha256Hex(digest);
    return hex === undefined ? undefined : sizeOfFile(this.#at(blobPath(hex)));
  }

  /** A manifest of a repository, if it is one that can be served as it is. */
  async manifest(repository: string, reference: Reference): Promise<StoredManifest | undefined> {
    const key = `${repository} ${nameOf(reference)}`;
    const digest = await this.#lookUp(this.#manifests, key, () => this.#linked(repository, reference));
    if (digest === undefined) return undefined;
    const content = await this.#contents.of(digest);
    return content === undefined ? undefined : { ...content, digest };
  }

  /** To be called when a push or a deletion has ended, however it did, and before anybody is told. */
  changed(): void {
    this.#changes += 1;
  }

  /** The digest, where tag, revision and data are all there. */
  async #linked(repository: string, reference: Reference): Promise<string | undefined> {
    const digest =
      reference.kind === 'digest'
        ? reference.digest
        : await readLink(this.#at(tagLink(repository, reference.tag)));
    const hex = digest === undefined ? undefined : sha256Hex(digest);
    if (hex === undefined) return undefined;
    const [linked, size] = await Promise.all([
      readLink(this.#at(revisionLink(repository, hex))),
      sizeOfFile(this.#at(blobPath(hex))),
    ]);
    return linked === digest && size !== undefined ? digest : undefined;
  }

  #at(path: string): string {
    return onDisk(this.#root, path);
  }

  #lookUp<T>(
    known: LRUCache<string, Looked<T>>,
    key: string,
    look: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const now = this.#clock.now().getTime();
    const before = known.get(key);
    // A clock that was set back makes what is remembered old, not new.
    if (before !== undefined && before.changes === this.#changes && Math.abs(now - before.at) < SEEN_AFTER)
      return before.found;
    const looked: Looked<T> = { at: now, changes: this.#changes, found: look() };
    known.set(key, looked);
    void looked.found.then((found) => {
      if (found === undefined && known.get(key) === looked) known.delete(key);
    });
    return looked.found;
  }
}

/** What can't be read, for whatever reason, is the registry's to tell. */
function readLink(file: string): Promise<string | undefined> {
  return readFile(file, 'latin1').catch(() => undefined);
}

function sizeOfFile(file: string): Promise<number | undefined> {
  return stat(file).then(
    (facts) => (facts.isFile() ? facts.size : undefined),
    () => undefined,
  );
}

function nameOf(reference: Reference): string {
  return reference.kind === 'tag' ? reference.tag : reference.digest;
}
