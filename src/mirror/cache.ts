import { createHash } from 'node:crypto';
import { readdir, readFile, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Disk, isOff, markOf, type Reserve, returnOf } from '../low-water.ts';
import type { Clock } from '../system/clock.ts';
import { diskOf } from '../system/disk.ts';

/** How much of a cache may stay. */
export interface Retention {
  /** ms from when it was fetched. */
  readonly keep: number;
  /** What is to stay free on the disk. */
  readonly reserve: Reserve;
}

export interface Dropped {
  readonly blobs: number;
  readonly bytes: number;
}

interface Blob {
  readonly path: string;
  readonly size: number;
  readonly fetched: number;
  readonly used: number;
}

/** A pull goes on for so long at the most without a new byte of it. */
const PULL_IS_DEAD = 60 * 60_000;
/** distribution makes a file before it has anything to write into it. */
const BEING_WRITTEN = 60_000;
/** Above it distribution writes to another place first, and moves what is whole. */
const WRITTEN_IN_PLACE = 4 * 1024 * 1024;

/**
 * The files that distribution keeps as a mirror. What is missing it fetches again; what is open is read to its end
 * though it is gone. So data, and the links to it, can be taken away under a registry that runs.
 */
export class Cache {
  readonly #root: string;
  readonly #clock: Clock;
  readonly #disk: () => Promise<Disk>;

  /** @param folder the root of distribution's storage */
  constructor(folder: string, clock: Clock, disk: () => Promise<Disk> = () => diskOf(folder)) {
    this.#root = join(folder, 'docker/registry/v2');
    this.#clock = clock;
    this.#disk = disk;
  }

  /** Drops what was fetched longer than `keep` ago, and what pulls that were cut have left. */
  async dropOld({ keep }: Retention): Promise<Dropped> {
    const since = this.#now() - keep;
    const old = (await this.#blobs()).filter(
      ({ size, fetched }) => fetched < since || (size === 0 && fetched < this.#now() - BEING_WRITTEN),
    );
    for (const blob of old) await drop(blob);
    for (const link of await filesBelow(join(this.#root, 'repositories'), 'link'))
      if (link.modified < since) await removeWithFolder(link.path);
    for (const upload of await filesBelow(join(this.#root, 'repositories'), 'data'))
      if (isUpload(upload.path) && upload.modified < this.#now() - PULL_IS_DEAD)
        await rm(dirname(upload.path), { recursive: true, force: true });
    return sum(old);
  }

  /**
   * Drops what was used least recently until pushes are taken again, where they share the disk: what can be fetched
   * once more gives way to what can't.
   */
  async dropForSpace({ reserve }: Retention): Promise<Dropped> {
    const disk = await this.#disk();
    let missing = returnOf(markOf(reserve, disk)) - disk.free;
    if (isOff(reserve) || missing <= 0) return { blobs: 0, bytes: 0 };
    const dropped: Blob[] = [];
    for (const blob of (await this.#blobs()).sort((one, other) => one.used - other.used)) {
      if (missing <= 0) break;
      await drop(blob);
      dropped.push(blob);
      missing -= blob.size;
    }
    return sum(dropped);
  }

  /** Drops what a machine that lost its power has left half written: small files that are not what they are called. */
  async dropBroken(): Promise<Dropped> {
    const broken: Blob[] = [];
    for (const blob of await this.#blobs()) {
      if (blob.size > WRITTEN_IN_PLACE) continue;
      const content = await readFile(blob.path).catch(() => undefined);
      if (content === undefined) continue;
      const [algorithm = '', digest] = [
        basename(dirname(dirname(dirname(blob.path)))),
        basename(dirname(blob.path)),
      ];
      if (!['sha256', 'sha512'].includes(algorithm)) continue;
      if (createHash(algorithm).update(content).digest('hex') === digest) continue;
      await drop(blob);
      broken.push(blob);
    }
    return sum(broken);
  }

  async #blobs(): Promise<Blob[]> {
    const files = await filesBelow(join(this.#root, 'blobs'), 'data');
    return files.map(({ path, size, modified, accessed }) => {
      return { path, size, fetched: modified, used: Math.max(modified, accessed) };
    });
  }

  #now(): number {
    return this.#clock.now().getTime();
  }
}

function drop({ path }: Blob): Promise<void> {
  return removeWithFolder(path);
}

/** The folder too, where nothing else is in it. */
async function removeWithFolder(path: string): Promise<void> {
  await unlink(path).catch(() => undefined); // distribution was quicker
  await rmdir(dirname(path)).catch(() => undefined);
}

/** `…/_uploads/ID/data`, not the data of a blob. */
function isUpload(path: string): boolean {
  return basename(dirname(dirname(path))) === '_uploads';
}

interface Found {
  readonly path: string;
  readonly size: number;
  readonly modified: number;
  readonly accessed: number;
}

/** All files of that name below a folder, which need not be there. What goes away meanwhile is left out. */
async function filesBelow(folder: string, name: string): Promise<Found[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found: Found[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) for (const below of await filesBelow(path, name)) found.push(below);
    else if (entry.name === name) {
      const facts = await stat(path).catch(() => undefined);
      if (facts !== undefined)
        found.push({ path, size: facts.size, modified: facts.mtimeMs, accessed: facts.atimeMs });
    }
  }
  return found;
}

function sum(blobs: readonly Blob[]): Dropped {
  return { blobs: blobs.length, bytes: blobs.reduce((bytes, { size }) => bytes + size, 0) };
}
