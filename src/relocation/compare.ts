import { join } from 'node:path';
import { counted } from '../counted.ts';
import { Failure } from '../errors.ts';
import { sizeInWords } from '../low-water.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import type { Clock } from '../system/clock.ts';
import type { Run } from '../system/processes.ts';
import { bringOver, flush } from './copy.ts';
import { type Differences, differences, lateArrivals } from './differences.ts';
import { Meter } from './meter.ts';
import type { Places } from './places.ts';
import { type Scan, scan } from './scan.ts';
import { hashBlobs, isSound, type Proven, unlikeFiles, unproven } from './verify.ts';

export interface CopyParts extends Places {
  readonly clock: Clock;
  readonly run: Run;
  readonly proven: Proven;
  /** Whether blobs come along that are damaged in the old place. */
  readonly allowDamaged: boolean;
}

export interface Compared {
  /** Blobs that are damaged, in the old place as well. */
  readonly damaged: readonly string[];
  readonly files: number;
  readonly bytes: number;
}

interface Proved {
  /** Blobs that are damaged in the old place as well. */
  readonly damaged: readonly string[];
  /** The new place as it is now. */
  readonly found: Scan;
}

const NAMED = 5;

/** Copies what differs; on the disk when it ends. */
export async function copyDifferences(parts: CopyParts, report: Report): Promise<Done> {
  const wanted = differences(await scan(parts.from), await scan(parts.to));
  return copyThese(parts, wanted, report);
}

export async function copyThese(parts: CopyParts, wanted: Differences, report: Report): Promise<Done> {
  const { copy, remove, folders, bytes } = wanted;
  const unread = await bringOver(parts, wanted, new Meter(parts.clock, bytes), report);
  if (unread.length > 0) expectAllowed(parts, unread);
  report('waiting for the disk');
  await flush(parts.run, parts);
  if (copy.length + remove.length + folders.length === 0) return unchanged('nothing differs');
  const gone = remove.length === 0 ? '' : `, ${remove.length} taken away`;
  return changed(`${counted(copy.length, 'file')}, ${sizeInWords(bytes)}${gone}`);
}

/** Brings along what the old place got since both were compared. */
export async function bringLate(parts: CopyParts, since: number, report: Report): Promise<Done> {
  return copyThese(parts, lateArrivals(await scan(parts.from), await scan(parts.to), since), report);
}

/** Brings back to the old place what was pushed to the new one while that served for a while, before any of it goes. */
export async function bringBack(parts: CopyParts, since: number, report: Report): Promise<Done> {
  return bringLate({ ...parts, from: parts.to, to: parts.from }, since, report);
}

/**
 * Hashes what was copied, and copies what came over damaged once more.
 * @throws Failure `damaged`, `copy-damaged`
 */
export async function proveBlobs(parts: CopyParts, report: Report): Promise<Done<Proved>> {
  const { from, to, clock, proven } = parts;
  const found = await scan(to);
  const todo = unproven(found, proven);
  const bytes = todo.reduce((sum, path) => sum + (found.files.get(path)?.bytes ?? 0), 0);
  const wrong = await hashBlobs(to, found, proven, new Meter(clock, bytes), report);
  const damaged: string[] = [];
  const again: string[] = [];
  for (const path of wrong) ((await isSound(join(from, path), path)) ? again : damaged).push(path);
  expectAllowed(parts, damaged);
  const after = again.length > 0 ? await mend(parts, again, report) : found;
  const value = { damaged, found: after };
  const summary = `${counted(todo.length, 'blob')} hashed, each what its name says`;
  return unchanged(damaged.length === 0 ? summary : `${summary}, except ${damaged.length}`, value);
}

/**
 * That both are the same, while nobody writes: every name, every size, every link; of blobs the hash.
 * @throws Failure `not-same`, `damaged`, `copy-damaged`
 */
export async function compare(parts: CopyParts, report: Report): Promise<Done<Compared>> {
  const { damaged, found: now } = (await proveBlobs(parts, report)).value;
  const old = await scan(parts.from);
  const unread = parts.allowDamaged ? await unreadable(parts, old, now) : [];
  report('comparing links');
  const rest = differences(old, now);
  const missing = rest.copy.filter((path) => !unread.includes(path));
  const unlike = missing.length === 0 ? await unlikeLinks(parts, old, report) : [];
  const problems = [...missing, ...rest.remove, ...rest.folders, ...unlike];
  if (problems.length > 0) throw notSame(parts, problems);
  return unchanged(`${counted(now.files.size, 'file')} compared, all the same`, {
    damaged: [...damaged, ...unread],
    files: now.files.size,
    bytes: now.bytes,
  });
}

/** What is missing because its disk does not give it any more. */
async function unreadable({ from }: Places, old: Scan, now: Scan): Promise<readonly string[]> {
  const missing = [...old.files.keys()].filter((path) => !now.files.has(path));
  const found: string[] = [];
  for (const path of missing) if (!(await isSound(join(from, path), path))) found.push(path);
  return found;
}

/** One that was written twice within a tick of the clock looks as it did before: it is copied when it is read. */
async function unlikeLinks(parts: CopyParts, old: Scan, report: Report): Promise<readonly string[]> {
  const copy = await unlikeFiles(parts, old);
  if (copy.length === 0) return [];
  await bringOver(parts, { folders: [], remove: [], copy, bytes: 0 }, new Meter(parts.clock, 0), report);
  await flush(parts.run, parts);
  return unlikeFiles(parts, old);
}

async function mend(parts: CopyParts, paths: readonly string[], report: Report): Promise<Scan> {
  const { to, clock, run, proven } = parts;
  await bringOver(parts, { folders: [], remove: [], copy: paths, bytes: 0 }, new Meter(clock, 0), report);
  await flush(run, parts);
  const found = await scan(to);
  const still = await hashBlobs(to, found, proven, new Meter(clock, 0), report);
  const first = still.find((path) => paths.includes(path));
  if (first === undefined) return found;
  throw new Failure(
    'copy-damaged',
    `${join(to, first)} came over damaged twice, and is well in the old place. The registry goes on with that.`,
    'The disk of the new place gives back something else than what is written: look into dmesg, and take another one.',
  );
}

function expectAllowed({ from, allowDamaged }: CopyParts, damaged: readonly string[]): void {
  if (damaged.length === 0 || allowDamaged) return;
  const more = damaged.length > NAMED ? [`and ${damaged.length - NAMED} more`] : [];
  throw new Failure(
    'damaged',
    `${damaged.length === 1 ? 'A file is' : 'Files are'} damaged in ${from}:\n${[...damaged.slice(0, NAMED), ...more].join('\n')}`,
    'Images that need them can’t be pulled as it is. Restore a backup (docs/backup.md); or remove these files and push the images again; or take everything along as it is: add --allow-damaged',
  );
}

function notSame({ from, to }: Places, problems: readonly string[]): Failure {
  return new Failure(
    'not-same',
    `${from} and ${to} are not the same though nobody writes: ${problems.slice(0, NAMED).join(', ')}. The registry goes on with the old place.`,
    'Make sure that nothing else than the registry writes there, then run this again.',
  );
}
