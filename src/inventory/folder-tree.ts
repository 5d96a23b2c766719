import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { mkdir, rename, rm, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../errors.ts';
import { ensureDirectory, ownerToKeep, writeAtomically } from '../system/files.ts';
import { onDisk } from './layout.ts';
import type { FileFacts, Tree } from './tree.ts';

/** More than manifests have as a rule. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);
/** As distribution's own. */
const MODE = 0o644;

/**
 * The registry's folder on a disk. It is read without libuv's threads, which would cost six times as much for each of
 * many small files: for commands and for a daemon between its ticks, not for a server.
 */
export class FolderTree implements Tree {
  /** With the slash. */
  readonly #root: string;

  /** @param directory distribution's root directory (REGISTRY_DATA_DIR) */
  constructor(directory: string) {
    this.#root = onDisk(directory, '/');
  }

  async list(folder: string): Promise<readonly string[]> {
    return ifThere(() => readdirSync(this.#at(folder))) ?? [];
  }

  async facts(path: string): Promise<FileFacts | undefined> {
    const found = ifThere(() => statSync(this.#at(path)));
    return found?.isFile() === true ? { bytes: found.size, written: found.mtime } : undefined;
  }

  async read(path: string): Promise<Buffer | undefined> {
    return ifThere(() => readSmall(this.#at(path)));
  }

  async write(path: string, content: Uint8Array): Promise<void> {
    const file = this.#at(path);
    await ensureDirectory(dirname(file));
    await writeAtomically(file, content, MODE, await ownerToKeep(file));
  }

  async remove(path: string): Promise<void> {
    await rm(this.#at(path), { recursive: true, force: true });
  }

  async move(from: string, to: string): Promise<boolean> {
    await mkdir(dirname(this.#at(to)), { recursive: true });
    try {
      await rename(this.#at(from), this.#at(to));
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  async date(path: string, written: Date): Promise<void> {
    await utimes(this.#at(path), written, written);
  }

  #at(path: string): string {
    return this.#root + path;
  }
}

/**
 * A file, as a copy out of one buffer for all: a buffer for each of some ten thousand links and manifests would be most
 * of the work.
 */
function readSmall(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const length = readSync(file, scratch, 0, scratch.length, 0);
    return length < scratch.length ? Buffer.from(scratch.subarray(0, length)) : readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
