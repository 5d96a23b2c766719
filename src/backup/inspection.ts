import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { counted } from '../counted.ts';
import { systemCode } from '../errors.ts';
import { blobPath, layerLink, revisionLink, sha256Hex } from '../inventory/layout.ts';
import { contentOf } from '../inventory/manifest.ts';
import { sizeInWords } from '../low-water.ts';
import type { Report } from '../step.ts';
import { withFiles } from './extract.ts';
import type { Link } from './links.ts';
import type { Restic } from './restic.ts';
import { referrersOf, type Subject } from './sample.ts';
import { BLOBS } from './set-aside.ts';
import type { Snapshot } from './snapshots.ts';

/** restic takes each path as an argument, and all of them need room at once. */
const AT_ONCE = { files: 500, bytes: 1024 ** 3 };
/** Nobody knows the size of a manifest before it is there; few have more. */
const MANIFEST = 64 * 1024;

interface Wanted extends Subject {
  readonly bytes: number;
}

/** Looks at images in a snapshot, with all that they name and what refers to them; each thing once. */
export class Inspection {
  /** By digest: whose it is. */
  readonly damaged = new Map<string, string>();
  files = 0;
  bytes = 0;
  readonly #restic: Restic;
  readonly #snapshot: Snapshot;
  readonly #folder: string;
  readonly #links: readonly Link[];
  readonly #paths: ReadonlySet<string>;
  readonly #seen = new Set<string>();

  constructor(restic: Restic, snapshot: Snapshot, folder: string, links: readonly Link[]) {
    this.#restic = restic;
    this.#snapshot = snapshot;
    this.#folder = folder;
    this.#links = links;
    this.#paths = new Set(links.map(({ path }) => path));
  }

  async inspect(subjects: readonly Subject[], report: Report): Promise<void> {
    const blobs: Wanted[] = [];
    let level: readonly Subject[] = subjects;
    while (level.length > 0) {
      report(counted(level.length, 'manifest'));
      const named: Subject[] = [];
      const wanted = this.#fresh(level.map((each) => ({ ...each, bytes: MANIFEST })));
      await this.#take(wanted, async (subject, file) => {
        const found = this.#named(subject, await readFile(file));
        named.push(...found.manifests);
        blobs.push(...found.blobs);
      });
      level = named;
    }
    const wanted = this.#fresh(blobs);
    const bytes = wanted.reduce((sum, each) => sum + each.bytes, 0);
    report(`${counted(wanted.length, 'config or layer', 'configs and layers')}, ${sizeInWords(bytes)}`);
    await this.#take(wanted, async () => undefined);
  }

  /** What the registry does not have by its links was never stored there: layers of other places, images left out. */
  #named(subject: Subject, bytes: Buffer): { manifests: Subject[]; blobs: Wanted[] } {
    const { repository, name } = subject;
    const content = contentOf(bytes);
    const linked = (link: (repository: string, hex: string) => string, digest: string) =>
      this.#paths.has(link(repository, sha256Hex(digest) ?? ''));
    const manifests = (content?.manifests ?? [])
      .filter(({ digest }) => linked(revisionLink, digest))
      .map(({ digest }) => ({ repository, digest, name }));
    const blobs = (content?.blobs ?? [])
      .filter(({ digest }) => linked(layerLink, digest))
      .map(({ digest, bytes: size }) => ({ repository, digest, name, bytes: size }));
    return { manifests: [...manifests, ...referrersOf(subject, this.#links)], blobs };
  }

  #fresh(wanted: readonly Wanted[]): Wanted[] {
    return wanted.filter(({ digest }) => {
      const known = this.#seen.has(digest);
      this.#seen.add(digest);
      return !known;
    });
  }

  async #take(
    wanted: readonly Wanted[],
    read: (subject: Subject, file: string) => Promise<void>,
  ): Promise<void> {
    for (const batch of batches(wanted)) {
      const paths = batch.map(({ digest }) => fileOf(digest));
      const bytes = batch.reduce((sum, each) => sum + each.bytes, 0);
      await withFiles(
        this.#restic,
        this.#snapshot,
        { paths, folder: this.#folder, bytes },
        async (folder) => {
          for (const subject of batch) {
            const file = join(folder, fileOf(subject.digest));
            if (await this.#isSound(subject, file)) await read(subject, file);
          }
        },
      );
    }
  }

  async #isSound({ digest, name }: Subject, file: string): Promise<boolean> {
    const found = await hashOf(file);
    this.files += 1;
    this.bytes += found?.bytes ?? 0;
    if (found?.digest === digest) return true;
    this.damaged.set(digest, name);
    return false;
  }
}

function fileOf(digest: string): string {
  return `${BLOBS.replace(/blobs$/, '')}${blobPath(sha256Hex(digest) ?? '')}`;
}

function batches(wanted: readonly Wanted[]): Wanted[][] {
  const found: Wanted[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const each of wanted) {
    const last = found.at(-1);
    bytes += each.bytes;
    if (last === undefined || last.length >= AT_ONCE.files || bytes > AT_ONCE.bytes) {
      found.push([each]);
      bytes = each.bytes;
    } else last.push(each);
  }
  return found;
}

async function hashOf(file: string): Promise<{ digest: string; bytes: number } | undefined> {
  const hash = createHash('sha256');
  const content = createReadStream(file);
  try {
    await pipeline(content, hash);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  return { digest: `sha256:${hash.digest('hex')}`, bytes: content.bytesRead };
}
