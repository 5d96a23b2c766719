import { COLLECTOR, HOLDER } from '../collection/parts.ts';
import { Failure } from '../errors.ts';
import { expectNothingInterrupted } from '../journal.ts';
import type { Settings } from '../settings/settings.ts';
import { expectNotMoved } from '../stack/moved.ts';
import { holdsLease } from '../stack/writes.ts';
import { expectImagesNamed } from '../storage/last-place.ts';
import { withLock } from '../system/lock.ts';
import { type App, lockFile, openJournal } from './app.ts';

/**
 * Runs `work` while nobody else changes what is stored, the collector of a `gc` that was killed included: it goes on
 * without a lock, by what it knew when it began.
 * @param what as in `withLock`
 * @throws Failure `locked`, `moved`, `moving-here`
 */
export async function withStorage<T>(
  app: Pick<App, 'paths' | 'clock'>,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  await expectNotMoved(app.paths);
  return withStorageAsItIs(app, what, work);
}

/** The same for `move-to`, which also works on a registry that has moved. */
export async function withStorageAsItIs<T>(
  app: Pick<App, 'paths' | 'clock'>,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  return withLock(lockFile(app, 'storage'), what, app.clock, async () => {
    await expectNoCollector(app);
    return work();
  });
}

/**
 * That the folder which the settings name is the one that the registry has: while a move of the images was cut off, or has
 * yet to follow a REGISTRY_DATA_DIR that somebody has changed, it may be another one.
 * @throws Failure `interrupted`, `images-elsewhere`
 */
export async function expectImagesInPlace(
  app: Pick<App, 'paths' | 'clock'>,
  settings: Pick<Settings, 'storage' | 'registryDataDirectory'>,
): Promise<void> {
  await expectNothingInterrupted({ storage: openJournal(app, 'storage') });
  await expectImagesNamed(app.paths, settings);
}

/** Both: nobody else changes the images, and they are where the settings say. */
export async function withImagesInPlace<T>(
  app: Pick<App, 'paths' | 'clock'>,
  settings: Pick<Settings, 'storage' | 'registryDataDirectory'>,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  return withStorage(app, what, async () => {
    await expectImagesInPlace(app, settings);
    return work();
  });
}

async function expectNoCollector({ paths, clock }: Pick<App, 'paths' | 'clock'>): Promise<void> {
  for (const holder of [HOLDER, COLLECTOR])
    if (await holdsLease(paths, holder, clock.now()))
      throw new Failure(
        'locked',
        'A collection was cut off, and its collector may still be at work.',
        'Wait half a minute, or as long as `npm run gc` needs to end it, then run this again.',
      );
}
