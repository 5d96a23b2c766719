import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
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
