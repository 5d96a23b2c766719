import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { access, chown, lstat, mkdir, open, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { systemCode } from '../errors.ts';

/** Who owns a file. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The file's text, or `undefined` when there is no such file. */
export async function readIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether there is something of that name, be it a link that leads nowhere. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Whether a path leads to something, as far as this process may look. */
export function leadsSomewhere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Replaces `path` as a whole or not at all: write a temporary file beside it, fsync, rename, fsync the folder.
 * A reader, or a machine that loses power, sees the old content or the new one.
 * @param owner for root, who may give the file to somebody; see `ownerToKeep`
 */
export async function writeAtomically(
  path: string,
  content: string | Uint8Array,
  mode: number,
  owner?: Owner,
): Promise<void> {
  const temporary = temporaryBeside(path);
  try {
    await writeSynced(temporary, content, mode);
    if (owner !== undefined) await chown(temporary, owner.uid, owner.gid);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/**
 * The same for what is written bit by bit, and too large to be had at once. What a killed run left is removed by the next
 * one: two must not write the same file at a time.
 */
export async function streamAtomically<T>(
  path: string,
  mode: number,
  write: (to: Writable) => Promise<T>,
): Promise<T> {
  const temporary = partOf(path);
  const owner = await ownerToKeep(path);
  try {
    await dropPart(path);
    const result = await write(createWriteStream(temporary, { mode, flags: 'wx' })); // a link there is nobody's of ours
    const file = await open(temporary, 'r+');
    try {
      await file.chmod(mode); // the umask may have taken bits away
      if (owner !== undefined) await file.chown(owner.uid, owner.gid);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
    return result;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Removes what a killed `streamAtomically` left. */
export async function dropPart(path: string): Promise<void> {
  await rm(partOf(path), { force: true });
}

function partOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.part`);
}

/**
 * Whose a file has to be when root writes it: whose it is, and a new one whose its folder is. Under sudo it would be
 * root's else, and be closed to its owner and to the part that reads it. Nobody but root may give files away.
 */
export async function ownerToKeep(path: string): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const { uid, gid } = await stat(path).catch(() => stat(dirname(path)));
  return { uid, gid };
}

/** Writes a new file and waits until it is on the disk. Fails when the file exists. */
export async function writeSynced(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.chmod(mode); // the umask may have taken bits away
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Points the symbolic link `path` at `target` in one step: there is no moment without a link. */
export async function replaceLink(path: string, target: string): Promise<void> {
  const temporary = temporaryBeside(path);
  await symlink(target, temporary);
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** Removes a file, so that it stays removed after a power cut. A file that is not there is fine. */
export async function removeSynced(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncDirectory(dirname(path));
}

/** Makes renames and new names in a folder survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export async function ensureDirectory(path: string, mode = 0o755): Promise<void> {
  await mkdir(path, { recursive: true, mode });
}

function temporaryBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
}

/** Whether two paths lead to one folder: over a link, or as one that is mounted twice. */
export async function isSameFolder(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((path) => stat(path).catch(() => undefined)));
  if (a === undefined || b === undefined) return one === other;
  return a.dev === b.dev && a.ino === b.ino;
}
