import { chown, readdir, readFile, realpath, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure, systemCode } from '../errors.ts';
import { ensureDirectory, isThere, ownerToKeep, writeAtomically } from '../system/files.ts';

/** A folder of the checkout that belongs to whom the checkout belongs to, although root makes it. */
export async function ensureFolderOfOwner(folder: string): Promise<void> {
  if ((await stat(folder).catch(() => undefined)) !== undefined) return;
  await ensureDirectory(folder);
  const owner = await ownerToKeep(dirname(folder));
  if (owner !== undefined) await chown(folder, owner.uid, owner.gid);
}

/** The text of a file; `other`: what has that name is none, but a folder, or a link that leads nowhere. */
export async function textOf(path: string): Promise<string | undefined | { readonly other: true }> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EISDIR' || code === 'ELOOP') return { other: true };
    if (code === 'ENOTDIR') return undefined;
    if (code !== 'ENOENT') throw error;
    return (await isThere(path)) ? { other: true } : undefined;
  }
}

/** @throws Failure `foreign-file` where something that is no folder stands on the way there */
export async function ensureWayTo(folder: string): Promise<void> {
  try {
    await ensureDirectory(folder);
  } catch (error) {
    if (!['EEXIST', 'ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? '')) throw error;
    throw new Failure(
      'foreign-file',
      `The folder ${folder} can't be made: something on the way there is no folder, or a link that leads nowhere.`,
      'Look at each part of that path (ls -ld), mend it, and run this again.',
      { cause: error },
    );
  }
}

/** The folders that have to be made for `folder` to be there, the outermost first. */
export async function missingFolders(folder: string): Promise<readonly string[]> {
  const there = await stat(folder).catch(() => undefined);
  if (there !== undefined || dirname(folder) === folder) return [];
  return [...(await missingFolders(dirname(folder))), folder];
}

/** Removes those of the folders in which nothing is. */
export async function removeEmpty(folders: readonly string[]): Promise<void> {
  for (const folder of [...new Set(folders)].sort((one, other) => other.length - one.length))
    await rmdir(folder).catch((error) => {
      if (!['ENOTEMPTY', 'ENOENT', 'EEXIST', 'ENOTDIR', 'EBUSY'].includes(systemCode(error) ?? ''))
        throw error;
    });
}

/** What a writing that was killed left beside a file; see `writeAtomically`. */
export async function sweepTemporaries(path: string): Promise<void> {
  const names = await readdir(dirname(path)).catch(() => []);
  const [prefix, folder] = [`.${basename(path)}.`, dirname(path)];
  const left = names.filter(
    (name) => name.startsWith(prefix) && /^[0-9a-f]{12}$/.test(name.slice(prefix.length)),
  );
  for (const name of left) await rm(join(folder, name), { force: true });
}

/** Another text for a file of somebody else's, which keeps its owner, its mode and its place where a link leads to it. */
export async function replaceText(name: string, content: string): Promise<void> {
  const path = await realpath(name).catch(() => name);
  const mode = (await stat(path).catch(() => undefined))?.mode ?? 0o644;
  try {
    await writeAtomically(path, content, mode & 0o7777, await ownerToKeep(path));
  } catch (error) {
    // A container's /etc/hosts is a mount of its own: nothing can be put in its place.
    if (systemCode(error) !== 'EBUSY') throw error;
    await writeFile(path, content);
  }
}
