import { messageOf } from '../errors.ts';
import { type Disk, isBelow, isOff, markOf } from '../low-water.ts';
import type { Settings } from '../settings/settings.ts';
import { diskOf } from '../system/disk.ts';

/** The disk of the images, and its low-water mark in bytes. */
export type ImageDisk = Disk & { readonly mark: number };

type Wishes = Pick<Settings, 'auth' | 'diskReserve' | 'registryDataDirectory'>;

/**
 * `undefined` where nobody sees to a mark: without a gate, or with nothing to be kept free.
 * @throws the system's error where the disk can't be looked at
 */
export async function watchedDisk(settings: Wishes): Promise<ImageDisk | undefined> {
  if (settings.auth.by !== 'gate' || isOff(settings.diskReserve)) return undefined;
  const disk = await diskOf(settings.registryDataDirectory);
  return { ...disk, mark: markOf(settings.diskReserve, disk) };
}

/** For people and programs that ask how things are. */
export type DiskState =
  | { readonly kind: 'unwatched' }
  | { readonly kind: 'unknown'; readonly because: string }
  | (ImageDisk & { readonly kind: 'enough' | 'low' });

export async function diskState(settings: Wishes): Promise<DiskState> {
  try {
    const disk = await watchedDisk(settings);
    if (disk === undefined) return { kind: 'unwatched' };
    return { kind: isBelow(disk.mark, disk.free, false) ? 'low' : 'enough', ...disk };
  } catch (error) {
    return { kind: 'unknown', because: messageOf(error) };
  }
}
