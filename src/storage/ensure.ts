import { join, relative } from 'node:path';
import { Failure, unreachable } from '../errors.ts';
import type { Paths } from '../paths.ts';
import type { Settings } from '../settings/settings.ts';
import type { Bucket } from '../settings/storage.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import type { Clock } from '../system/clock.ts';
import { isThere } from '../system/files.ts';
import type { Run } from '../system/processes.ts';
import { originOf } from './bucket-client.ts';
import { checkBucket } from './check-bucket.ts';
import { holdsImages, isInUse } from './data-directory.ts';
import { expectReachableEndpoint, type Lookup, systemLookup } from './endpoint-place.ts';
import { type LastPlace, noteLastPlace, readLastPlace } from './last-place.ts';
import { DROP, OLD_MARK, oldPlaceInWords, readOldPlaces } from './old-places.ts';
import { pingRedis } from './redis.ts';
import { labelCommand } from './selinux.ts';

export interface StorageParts {
  readonly paths: Paths;
  readonly clock: Clock;
  readonly run: Run;
  readonly find?: Lookup;
}

type Wanted = Pick<Settings, 'storage' | 'cache' | 'registryDataDirectory' | 'domain'>;

/**
 * Makes sure that images can be kept where the settings say, before anything of the stack changes, and says so when
 * that is another place than before.
 * @param moving where the images are that come along: whoever moves them notes the place
 * @throws Failure `disk-emptied`, `old-place`, and those of the bucket and of Redis
 */
export async function ensureStorage(
  parts: StorageParts,
  settings: Wanted,
  report: Report,
  moving?: string,
): Promise<Done> {
  const { storage, cache, registryDataDirectory: folder } = settings;
  const before = await lastPlace(parts.paths, folder);
  const now: LastPlace =
    storage.kind === 's3'
      ? { place: placeOf(storage), used: true }
      : { place: folder, used: await holdsImages(folder) };
  if (storage.kind === 's3') {
    report(`asking ${originOf(storage)}`);
    await expectReachableEndpoint(storage, settings, parts.find ?? systemLookup);
    await checkBucket(storage, parts.clock);
  } else if (before?.place === folder && before.used && !(await isInUse(folder)))
    throw emptied(parts.paths, folder);
  else await expectNotOld(folder);
  if (cache.kind === 'server') {
    report(`asking Redis at ${cache.host}`);
    await pingRedis(cache);
  }
  if (moving !== undefined) return unchanged(`${now.place}; the images of ${moving} are moved there`);
  await noteLastPlace(parts.paths.lastPlace, now);

  const command = storage.kind === 'filesystem' ? await labelCommand(folder, parts.run) : undefined;
  const label = command && `SELinux would keep the registry out of it: ${command}`;
  const left = before !== undefined && (await isLeft(before, now)) ? leftBehind(before.place) : undefined;
  const old = (await readOldPlaces(parts.paths.oldPlaces)).map(oldPlaceInWords);
  const summary = [now.place, cacheWords(settings), label, left, ...old].filter(Boolean).join('; ');
  return left === undefined ? unchanged(summary) : changed(summary);
}

/** Notes that there are images by now: a folder that is empty next time is a disk that is missing. */
export async function noteImages(
  { lastPlace }: Pick<Paths, 'lastPlace'>,
  { storage, registryDataDirectory: place }: Pick<Wanted, 'storage' | 'registryDataDirectory'>,
): Promise<void> {
  if (storage.kind === 'filesystem' && (await holdsImages(place)))
    await noteLastPlace(lastPlace, { place, used: true });
}

/** Whether images stay behind; they may have been pushed after it was noted that there were none. */
async function isLeft(before: LastPlace, now: LastPlace): Promise<boolean> {
  return before.place !== now.place && (before.used || (await holdsImages(before.place)));
}

/** A stack from before there was a choice has its images in the folder. */
async function lastPlace(paths: Paths, folder: string): Promise<LastPlace | undefined> {
  const noted = await readLastPlace(paths.lastPlace);
  return noted ?? ((await holdsImages(folder)) ? { place: folder, used: true } : undefined);
}

function placeOf(bucket: Bucket): string {
  const root = bucket.rootDirectory === '' ? '' : `/${bucket.rootDirectory}`;
  return `bucket ${bucket.bucket}${root} at ${originOf(bucket)}`;
}

function leftBehind(place: string): string {
  return `THE IMAGES IN ${place} STAY THERE and are served no more (to move them along: docs/storage.md)`;
}

/** One that was moved from is months behind, whatever its images look like. */
async function expectNotOld(folder: string): Promise<void> {
  if (!(await isThere(join(folder, OLD_MARK)))) return;
  throw new Failure(
    'old-place',
    `The images were moved away from ${folder}: what is there is how they were then.`,
    `To move them back: drop it (${DROP}), then npm run storage -- move ${folder}. To really serve what is there: remove ${OLD_MARK} in it, then run this again.`,
  );
}

function cacheWords({ cache }: Wanted): string {
  switch (cache.kind) {
    case 'memory':
      return '';
    case 'stack':
      return 'a Redis of the stack remembers blobs';
    case 'server':
      return `Redis at ${cache.host}:${cache.port} remembers blobs`;
    default:
      return unreachable(cache);
  }
}

function emptied(paths: Paths, folder: string): Failure {
  const note = relative(paths.root, paths.lastPlace);
  return new Failure(
    'disk-emptied',
    `There were images in ${folder} when this last ran, and there are none now.`,
    `Mount its disk, then run this again. If you emptied it on purpose, remove ${note} first.`,
  );
}
