import { realpath, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { moment } from '../certificates/words.ts';
import { Failure, systemCode } from '../errors.ts';
import { DROP, NEW_MARK, OLD_MARK, type OldPlace } from '../storage/old-places.ts';
import { ownerToKeep, readIfExists, removeSynced, writeAtomically } from '../system/files.ts';
import { mountPoints } from '../system/mounts.ts';
import { ROOT, scan } from './scan.ts';

const shape = z.object({ checkout: z.string(), from: z.string() });
type Mark = z.infer<typeof shape>;

/** Says of a folder whose images are on their way to it. */
export async function markNew(folder: string, mark: Mark): Promise<void> {
  const file = join(folder, NEW_MARK);
  await writeAtomically(file, `${JSON.stringify(mark)}\n`, 0o644, await ownerToKeep(file));
}

/** Whether a folder has what a move of these images left there that did not come to its end. */
export async function isMarkedNew(folder: string, { checkout, from }: Mark): Promise<boolean> {
  try {
    const found = shape.parse(JSON.parse((await readIfExists(join(folder, NEW_MARK))) ?? ''));
    return found.checkout === checkout && found.from === from;
  } catch {
    return false;
  }
}

export async function unmarkNew(folder: string): Promise<void> {
  await removeSynced(join(folder, NEW_MARK));
}

/** Leaves word for whoever finds it. */
export async function markOld({ folder, to, moved }: OldPlace, checkout: string): Promise<void> {
  const lines = [
    `The images of the registry in ${checkout} were here until ${moment(moved)}.`,
    `They were moved to ${to}, and what was pushed since is only there.`,
    `This copy serves nobody. To remove it, run in ${checkout}: ${DROP}`,
    '',
  ];
  const file = join(folder, OLD_MARK);
  await writeAtomically(file, lines.join('\n'), 0o644, await ownerToKeep(file));
}

export async function isMarkedOld({ folder, to }: OldPlace): Promise<boolean> {
  return (await readIfExists(join(folder, OLD_MARK)))?.includes(to) === true;
}

/** @throws Failure `not-that-place` for a folder that has no such word: a disk may be missing, or another one be there */
export async function expectMarkedOld(old: OldPlace): Promise<void> {
  if (await isMarkedOld(old)) return;
  const { folder } = old;
  throw new Failure(
    'not-that-place',
    `${folder} does not say that it is the old place of the images (${OLD_MARK}).`,
    'Mount its disk, then run this again. If it is gone for good there is nothing to drop: npm run storage -- drop-old --forget',
  );
}

/**
 * Takes away what distribution wrote below a folder, and what Moorage put there. Links are not followed: one in it stops
 * this before anything is removed, and so does a disk that is mounted there: what is on it may be used elsewhere. The
 * folder stays, and so does everything else that is in it.
 * @throws Failure `foreign-files`, `mounted-inside`
 */
export async function removeImages(folder: string): Promise<void> {
  await scan(folder);
  const images = join(await realpath(folder).catch(() => folder), ROOT);
  const point = (await mountPoints()).find((each) => `${each}/`.startsWith(`${images}/`));
  if (point !== undefined)
    throw new Failure(
      'mounted-inside',
      `Something is mounted at ${point}, within the images that are to be removed.`,
      'Unmount it (sudo umount), then run this again.',
    );
  const names = ROOT.split('/');
  await rm(join(folder, ROOT), { recursive: true, force: true });
  for (let depth = names.length - 1; depth > 0; depth -= 1)
    await rmdir(join(folder, ...names.slice(0, depth))).catch(ifGoneOrFull);
  for (const mark of [OLD_MARK, NEW_MARK]) await rm(join(folder, mark), { force: true });
}

function ifGoneOrFull(error: unknown): void {
  if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) throw error;
}
