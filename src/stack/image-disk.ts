import { messageOf } from '../errors.ts';
import { type DiskState, isBelow, isOff, type MarkedDisk, markOf } from '../low-water.ts';
import type { Settings } from '../settings/settings.ts';
import { diskOf } from '../system/disk.ts';

type Wishes = Pick<Settings, 'auth' | 'diskReserve' | 'registryDataDirectory'>;

/**
 * `undefined` where nobody sees to a mark: without a gate, or with nothing to be kept free.
 * @throws the system's error where the disk can't be looked at
 */
export async function watchedDisk(settings: Wishes): Promise<MarkedDisk | undefined> {
  if (settings.auth.by !== 'gate' || isOff(settings.diskReserve)) return undefined;
  const disk = await diskOf(settings.registryDataDirectory);
  return { ...disk, mark: markOf(settings.diskReserve, disk) };
}

/** The same for people and programs that ask how things are. */
export async function diskState(settings: Wishes): Promise<DiskState> {
  try {
    const disk = await watchedDisk(settings);
    if (disk === undefined) return { kind: 'unwatched' };
    return { kind: isBelow(disk.mark, disk.free, false) ? 'low' : 'enough', ...disk };
  } catch (error) {
    return { kind: 'unknown', because: messageOf(error) };
  }
}
