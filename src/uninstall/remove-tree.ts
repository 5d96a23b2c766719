import { lstat, readdir, rm, rmdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDenied, systemCode } from '../errors.ts';
import { isWithin } from './ours.ts';

/** Why something of a tree stayed. */
export interface Left {
  readonly path: string;
  readonly because: 'kept' | 'mounted' | 'denied';
}

interface Bounds {
  /** Paths that stay, with all below them. */
  readonly keep: readonly string[];
  /** Where other file systems are mounted: nobody goes into one. */
  readonly mounts: readonly string[];
}

/**
 * Removes a file, or a folder with all in it. Links are removed and not followed. What is not there is fine.
 * @returns what stayed
 */
export async function removeTree(path: string, bounds: Bounds): Promise<readonly Left[]> {
  const within = (other: string) => isWithin(other, path);
  if (!bounds.keep.some(within) && !bounds.mounts.some(within)) {
    try {
      await rm(path, { recursive: true, force: true });
      return [];
    } catch (error) {
      if (!mayNotGo(error)) throw error;
    }
  }
  return removeOneByOne(path, bounds);
}

async function removeOneByOne(path: string, bounds: Bounds): Promise<readonly Left[]> {
  if (bounds.keep.includes(path)) return [{ path, because: 'kept' }];
  if (bounds.mounts.includes(path)) return [{ path, because: 'mounted' }];
  try {
    const facts = await lstat(path);
    if (!facts.isDirectory()) await unlink(path);
    else {
      const left: Left[] = [];
      for (const name of await readdir(path)) left.push(...(await removeOneByOne(join(path, name), bounds)));
      if (left.length > 0) return left;
      await rmdir(path);
    }
    return [];
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    if (mayNotGo(error)) return [{ path, because: 'denied' }];
    throw error;
  }
}

/**
 * Removes folders from `path` up to `root` while they are empty. A mount point is busy, and stays; and so does what is at the
 * top, such as /srv: it came with the machine.
 */
export async function removeEmpty(path: string, root: string): Promise<void> {
  for (let folder = path; isWithin(folder, root) && dirname(folder) !== '/'; folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') return;
    }
  }
}

function mayNotGo(error: unknown): boolean {
  return isDenied(error) || systemCode(error) === 'EROFS';
}
