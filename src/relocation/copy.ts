import { constants } from 'node:fs';
import { chmod, chown, copyFile, lstat, mkdir, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, messageOf, systemCode } from '../errors.ts';
import type { Report } from '../step.ts';
import { atOnce } from '../system/at-once.ts';
import type { Run } from '../system/processes.ts';
import { type Differences, digestIn, outdoes, parentsOf } from './differences.ts';
import type { Meter } from './meter.ts';
import type { Places } from './places.ts';
import { factsOf, HALF } from './scan.ts';
import { isSound } from './verify.ts';

/** A disk has its most with a few at once; small files are mostly waiting. */
const AT_ONCE = 8;

/**
 * Makes `to` as `from` is, file by file, each of them whole or not there. What vanishes from `from` meanwhile is left out.
 * Where the file system can, both share their blocks until one of them is written (reflinks). Hard links would not do:
 * distribution 2 writes links of tags in place, and the old place is to stay as it is.
 * @returns what could not be read
 * @throws Failure `disk-full`, `read-only`, `not-written`
 */
export async function bringOver(
  places: Places,
  { folders, copy, remove, newerStays = false }: Differences,
  meter: Meter,
  report: Report,
): Promise<readonly string[]> {
  for (const path of remove) await rm(join(places.to, path), { recursive: true, force: true });
  for (const path of folders) await copyFolder(places, path).catch((error) => failed(places, error));
  const unread: string[] = [];
  let failure: unknown;
  // All have ended when this ends: none takes a half-made file away from who tries again.
  await atOnce(AT_ONCE, copy, async (path) => {
    if (failure !== undefined) return;
    try {
      const stays = newerStays && digestIn(path) === undefined && (await isNewerThere(places, path));
      meter.add(stays ? 0 : await copyOne(places, path));
      report(meter.inWords());
    } catch (error) {
      if (systemCode(error) === 'EIO' && !(await isSound(join(places.from, path), path))) unread.push(path);
      else failure ??= error; // the new disk's
    }
  });
  if (failure !== undefined) failed(places, failure);
  return unread;
}

/** Waits until all of it is on the disk: once, because an fsync for each of some ten thousand links takes minutes. */
export async function flush(run: Run, { to }: Places): Promise<void> {
  const { exitCode, stderr } = await run('sync', ['--file-system', to]);
  if (exitCode !== 0) throw notWritten(to, stderr.trim());
}

function notWritten(to: string, why: string, cause?: unknown): Failure {
  return new Failure(
    'not-written',
    `The disk of ${to} did not take all that was written: ${why}`,
    'Look into dmesg, and take another disk. The registry goes on with its old place.',
    { cause },
  );
}

async function copyFolder({ from, to }: Places, path: string): Promise<void> {
  const facts = await lstat(join(from, path)).catch(ifThere);
  if (facts === undefined) return;
  const target = join(to, path);
  await mkdir(target).catch(ifNew);
  if (isRoot()) await chown(target, facts.uid, facts.gid);
  await chmod(target, facts.mode & 0o7777);
}

/** Somebody may have pushed it after both places were looked at. */
async function isNewerThere({ from, to }: Places, path: string): Promise<boolean> {
  const [one, other] = await Promise.all([from, to].map((place) => lstat(join(place, path)).catch(ifThere)));
  if (one === undefined || other === undefined) return false;
  return outdoes(factsOf(other), factsOf(one));
}

/** Its bytes. */
async function copyOne(places: Places, path: string): Promise<number> {
  try {
    return await copyWhole(places, path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    if ((await lstat(join(places.from, path)).catch(ifThere)) === undefined) return 0;
  }
  // A tag that was deleted is pushed again: when the folders were made its own was not there.
  for (const folder of parentsOf(path)) await copyFolder(places, folder);
  return copyWhole(places, path);
}

async function copyWhole({ from, to }: Places, path: string): Promise<number> {
  const [source, target] = [join(from, path), join(to, path)];
  const temporary = `${target}${HALF}`;
  try {
    const facts = await lstat(source);
    await copyFile(source, temporary, constants.COPYFILE_FICLONE);
    if (isRoot()) await chown(temporary, facts.uid, facts.gid);
    await chmod(temporary, facts.mode & 0o7777);
    await utimes(temporary, facts.atimeMs / 1000, facts.mtimeMs / 1000);
    await rename(temporary, target);
    return facts.size;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function failed({ to }: Places, cause: unknown): never {
  const code = systemCode(cause);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    throw new Failure(
      'disk-full',
      `There is no room left at ${to}. The registry goes on with its old place.`,
      'Free some space there, then run `npm run storage -- move`: it goes on where it stopped. Or give it up: npm run storage -- cancel',
      { cause },
    );
  if (code === 'EROFS')
    throw new Failure(
      'read-only',
      `${to} is mounted read-only. The registry goes on with its old place.`,
      'Mount it for writing (a disk with errors is mounted so by itself: look into dmesg), then run this again.',
      { cause },
    );
  if (code === 'EIO' || code === 'ENOENT') throw notWritten(to, messageOf(cause), cause);
  throw cause;
}

function ifNew(error: unknown): void {
  if (systemCode(error) !== 'EEXIST') throw error;
}

function ifThere(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error;
}

/** Nobody else may give files away. */
function isRoot(): boolean {
  return process.getuid?.() === 0;
}
