import { COLLECTOR, HOLDER } from '../collection/parts.ts';
import { Failure } from '../errors.ts';
import { expectNotMoved } from '../stack/moved.ts';
import { holdsLease } from '../stack/writes.ts';
import { withLock } from '../system/lock.ts';
import { type App, lockFile } from './app.ts';

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

async function expectNoCollector({ paths, clock }: Pick<App, 'paths' | 'clock'>): Promise<void> {
  for (const holder of [HOLDER, COLLECTOR])
    if (await holdsLease(paths, holder, clock.now()))
      throw new Failure(
        'locked',
        'A collection was cut off, and its collector may still be at work.',
        'Wait half a minute, or as long as `npm run gc` needs to end it, then run this again.',
      );
}
