import { readdir } from 'node:fs/promises';
import { Failure, messageOf } from '../errors.ts';
import {
  type DiskState,
  diskInWords,
  isBelow,
  isOff,
  type MarkedDisk,
  markOf,
  sizeInWords,
} from '../low-water.ts';
import type { Settings } from '../settings/settings.ts';
import { type Done, unchanged } from '../step.ts';
import { diskOf } from '../system/disk.ts';

type Wishes = Pick<Settings, 'auth' | 'storage' | 'diskReserve' | 'registryDataDirectory'>;

/** The disk of the images for people and programs that ask how things are. */
export async function diskState(settings: Wishes): Promise<DiskState> {
  const because = unwatchedBy(settings);
  if (because !== undefined) return { kind: 'unwatched', because };
  try {
    const disk = await markedDisk(settings);
    return { kind: isBelow(disk.mark, disk.free, false) ? 'low' : 'enough', ...disk };
  } catch (error) {
    return { kind: 'unknown', because: messageOf(error) };
  }
}

/**
 * The same for who looks at its figures again and again. `undefined` where nobody sees to a mark.
 * @throws the system's error where the disk can't be looked at
 */
export async function watchedDisk(settings: Wishes): Promise<MarkedDisk | undefined> {
  return unwatchedBy(settings) === undefined ? markedDisk(settings) : undefined;
}

/**
 * The same whoever sees to a mark; where nobody does, it is that nothing is free. `undefined` for a bucket.
 * @throws the system's error where the disk can't be looked at
 */
export async function imageDisk(settings: Wishes): Promise<MarkedDisk | undefined> {
  if (settings.storage.kind !== 'filesystem') return undefined;
  const disk = await markedDisk(settings);
  return unwatchedBy(settings) === undefined ? disk : { ...disk, mark: 0 };
}

/**
 * A disk that has less free than DISK_RESERVE takes no push, the proof's neither. It may have become so: then it is
 * said, and init-tls goes on.
 * @throws Failure `disk-full` before there is any image
 */
export async function expectRoom(settings: Wishes): Promise<Done<DiskState>> {
  const { registryDataDirectory: folder } = settings;
  const disk = await diskState(settings);
  if (disk.kind !== 'low' || (await readdir(folder)).length > 0) return unchanged(diskInWords(disk), disk);
  throw new Failure(
    'disk-full',
    `There are only ${sizeInWords(disk.free)} free under ${folder}, and ${sizeInWords(disk.mark)} are kept free: the registry would take no push.`,
    'Free space, put the images on a larger disk by REGISTRY_DATA_DIR, or keep less free by DISK_RESERVE, then run this again.',
  );
}

/** The setting that leaves nobody to see to a mark, or nothing to see to. */
function unwatchedBy({ auth, storage, diskReserve }: Wishes) {
  if (storage.kind !== 'filesystem') return 'STORAGE';
  if (auth.by !== 'gate') return 'AUTH';
  return isOff(diskReserve) ? 'DISK_RESERVE' : undefined;
}

async function markedDisk({ diskReserve, registryDataDirectory }: Wishes): Promise<MarkedDisk> {
  const disk = await diskOf(registryDataDirectory);
  return { ...disk, mark: markOf(diskReserve, disk) };
}
