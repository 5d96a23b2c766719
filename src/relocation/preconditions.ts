import { constants } from 'node:fs';
import { chmod, chown, copyFile, lstat, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { counted } from '../counted.ts';
import type { Engine } from '../engine/engine.ts';
import { Failure, WrongInput } from '../errors.ts';
import { markOf, sizeInWords } from '../low-water.ts';
import type { Paths } from '../paths.ts';
import type { Settings } from '../settings/settings.ts';
import { expectNotServed } from '../stack/stop.ts';
import { type Done, unchanged } from '../step.ts';
import { expectDataDirectory, holdsImages } from '../storage/data-directory.ts';
import { OLD_MARK } from '../storage/old-places.ts';
import { diskOf } from '../system/disk.ts';
import { isThere } from '../system/files.ts';
import { missingDisk } from '../system/mounts.ts';
import type { Begun } from './begun.ts';
import { differences } from './differences.ts';
import { isMarkedNew } from './marks.ts';
import type { Places } from './places.ts';
import { scan } from './scan.ts';

type Wishes = Pick<Settings, 'storage' | 'diskReserve'>;

/**
 * Whether images can go from one folder to another at all; nothing is looked at but names.
 * @throws WrongInput
 */
export async function expectApart({ from, to }: Places, { storage }: Pick<Wishes, 'storage'>): Promise<void> {
  const problems =
    storage.kind === 's3'
      ? [{ input: 'STORAGE', message: 'is s3: the images are in a bucket; see docs/storage.md to copy them' }]
      : [];
  const [one, other] = await Promise.all([realOf(from), realOf(to)]);
  const within = (inner: string, outer: string) =>
    inner !== outer && `${inner}${sep}`.startsWith(`${outer}${sep}`);
  if (within(one, other) || within(other, one))
    problems.push({ input: to, message: `and ${from} are in each other; name a folder beside it` });
  if (problems.length > 0) throw new WrongInput(problems);
}

/** Whether there are images, on the disk that should be mounted there. */
export async function isPlace(folder: string): Promise<boolean> {
  return (await missingDisk(folder)) === undefined && (await holdsImages(folder));
}

/**
 * A folder whose disk is missing looks like one without images, though the registry that runs still has it.
 * @throws Failure `no-images`
 */
export async function expectImages({ from }: Pick<Places, 'from'>): Promise<void> {
  if (await isPlace(from)) return;
  throw new Failure(
    'no-images',
    `There are no images in ${from}.`,
    'If there should be, mount its disk, then run this again. If it was lost on the way to another one: npm run storage -- cancel --forget. To begin in another folder: REGISTRY_DATA_DIR in .env, then npm run init-tls',
  );
}

/**
 * That the old place is there, which may have got what the new one has not.
 * @param forget whether that is given up
 * @throws Failure `no-images`
 */
export async function expectLast({
  from,
  forget,
}: Pick<Places, 'from'> & { readonly forget: boolean }): Promise<void> {
  if (forget || (await isPlace(from))) return;
  throw new Failure(
    'no-images',
    `There are no images in ${from}, where the last ones may have been pushed to.`,
    'Mount its disk, then run this again. If it is gone for good: npm run storage -- move --forget',
  );
}

/**
 * That the new place, which once was as the old one, is there: what was pushed to it since is nowhere else.
 * @throws Failure `copy-missing`
 */
export async function expectCopy(folder: string): Promise<void> {
  if (!(await isPlace(folder))) throw copyMissing(folder);
}

/**
 * What was begun has its mark there, or all images: a folder with neither is what is below a disk that is missing.
 * @throws Failure `copy-missing`
 */
export async function expectBegun(
  { from, to }: Places,
  { root }: Pick<Paths, 'root'>,
  begun: Pick<Begun, 'compared'> | undefined,
): Promise<void> {
  if (begun === undefined) return;
  if (begun.compared > 0 || !(await isMarkedNew(to, { checkout: root, from }))) await expectCopy(to);
}

/**
 * That both are still there: a folder whose disk went away meanwhile is like one without images, and two of these are the
 * same.
 * @throws Failure `no-images`, `copy-missing`
 */
export async function expectBoth(places: Places, { root }: Pick<Paths, 'root'>): Promise<void> {
  await expectImages(places);
  if (!(await isMarkedNew(places.to, { checkout: root, from: places.from }))) throw copyMissing(places.to);
}

export function copyMissing(folder: string): Failure {
  return new Failure(
    'copy-missing',
    `The images that were copied to ${folder} are not there.`,
    'Mount its disk, then run this again. If it is gone for good: npm run storage -- cancel --forget',
  );
}

/**
 * Makes sure that there are images, and that the new place is there, is nobody else's and has room.
 * @throws Failure `no-images`, `not-empty`, `disk-full`, `in-use`, `old-place`, and those of the folder
 */
export async function expectFit(
  places: Places,
  wishes: Wishes,
  { engine, paths }: { readonly engine: Pick<Engine, 'containers'>; readonly paths: Pick<Paths, 'root'> },
): Promise<Done> {
  const { from, to } = places;
  await expectImages(places);
  const made = !(await isThere(to));
  await expectDataDirectory(to);
  if (made) await asIts(from, to);
  await expectOurs(places, paths);
  await expectNotServed(engine, paths, to);
  const [old, present] = [await scan(from), await scan(to)];
  const { bytes } = differences(old, present);
  const { free, size } = await diskOf(to);
  const needed = bytes + markOf(wishes.diskReserve, { size });
  const shares = await sharesBlocks(places);
  const words = `${sizeInWords(old.bytes)} in ${counted(old.files.size, 'file')}`;
  if (shares) return unchanged(`${words}; the file system lends its blocks, so that they take no room`);
  if (free >= needed) return unchanged(`${words}; ${sizeInWords(free)} are free`);
  throw new Failure(
    'disk-full',
    `${sizeInWords(bytes)} have to go to ${to}, and ${sizeInWords(free)} are free there, of which ${sizeInWords(needed - bytes)} are kept free (DISK_RESERVE).`,
    'Free some space there, name a folder on another disk, or make the images fewer first: npm run prune, then npm run gc',
  );
}

/** A new folder belongs to whom the old one belongs. */
async function asIts(from: string, to: string): Promise<void> {
  const { uid, gid, mode } = await stat(from);
  if (process.getuid?.() === 0) await chown(to, uid, gid);
  await chmod(to, mode & 0o7777);
}

async function expectOurs({ from, to }: Places, { root }: Pick<Paths, 'root'>): Promise<void> {
  if (await isMarkedNew(to, { checkout: root, from })) return;
  if (await isThere(join(to, OLD_MARK)))
    throw new Failure(
      'old-place',
      `${to} is a place where images were before, and has what was there then.`,
      'Drop it first (npm run storage -- drop-old), or name another folder.',
    );
  const there = (await holdsImages(to)) || (await readdir(join(to, 'docker')).catch(() => [])).length > 0;
  if (!there) return;
  throw new Failure(
    'not-empty',
    `There are images in ${to} already, which are not of this move.`,
    'Name another folder, or move away what is in its folder `docker`.',
  );
}

/** Whether a copy costs nothing: both are on one file system that knows reflinks (btrfs, XFS). */
async function sharesBlocks({ from, to }: Places): Promise<boolean> {
  const probe = join(to, '.moorage-probe');
  try {
    if ((await stat(from)).dev !== (await stat(to)).dev) return false;
    await writeFile(probe, 'x'.repeat(4096));
    await copyFile(probe, `${probe}.2`, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    return false;
  } finally {
    for (const path of [probe, `${probe}.2`]) await rm(path, { force: true }).catch(() => undefined);
  }
}

/** Where a path leads that need not be there yet. */
async function realOf(path: string): Promise<string> {
  const absolute = resolve(path);
  const facts = await lstat(absolute).catch(() => undefined);
  if (facts !== undefined || absolute === dirname(absolute)) return realpath(absolute).catch(() => absolute);
  return join(await realOf(dirname(absolute)), absolute.slice(dirname(absolute).length));
}
