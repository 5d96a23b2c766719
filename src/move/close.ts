import { drain, forgetDescriptors } from '../collection/close.ts';
import type { CollectionParts } from '../collection/parts.ts';
import { Failure } from '../errors.ts';
import { isAlive } from '../stack/alive.ts';
import { awaitRegistry } from '../stack/answer.ts';
import { type Move, readMove, removeMove, writeMove } from '../stack/moved.ts';
import { expectRefused, withWritesClosed } from '../stack/writes.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';

const HOLDER = 'move-to';

/**
 * Lets uploads end that are on their way, and closes writes for good: nginx refuses them, and the registry reads only, so
 * that no request comes between that was past nginx already. Pulls go on. Where it fails writes are open again.
 * @param wait seconds for uploads to end
 * @throws Failure `writes-open`, `registry-outdated`, `registry-down`
 */
export async function closeForGood(
  parts: CollectionParts,
  move: Move,
  wait: number,
  report: Report,
): Promise<Done> {
  if ((await readMove(parts.paths))?.kind === 'gone') return lock(parts);
  const drained = await withWritesClosed(parts, HOLDER, async (writes) => {
    const { summary } = await drain(parts, writes, wait, report);
    await parts.journal.reach('close');
    await writeMove(parts.paths, { ...move, since: parts.clock.now() });
    return summary;
  });
  try {
    await lock(parts);
  } catch (error) {
    await removeMove(parts.paths); // the registry notices by itself
    await parts.journal.reach('copy');
    throw error;
  }
  return changed(`closed here for good (${drained}); pulls go on`);
}

/**
 * Writes are taken here again: by nginx only once the registry takes them.
 * @throws Failure `registry-down`, `redis-silent`
 */
export async function openAgain(parts: CollectionParts): Promise<Done> {
  const { paths, settings, registry, clock, log } = parts;
  if ((await readMove(paths)) === undefined) return unchanged('open');
  // The other one may have collected in the bucket that they share.
  if (settings.storage.kind === 's3') await forgetDescriptors(parts);
  // One that is paused or started again just now notices by itself.
  if (!(await registryOf(parts)).some(({ running }) => running)) await removeMove(paths);
  else
    await withWritesClosed(parts, HOLDER, async (writes) => {
      await writes.enter('closed');
      await removeMove(paths);
      await registry.restart();
      await awaitRegistry(settings, clock, log);
    });
  return changed('open again');
}

/** Whether it takes writes, now or once it goes on. */
export async function registryRuns(parts: Pick<CollectionParts, 'engine' | 'settings'>): Promise<boolean> {
  return (await registryOf(parts)).some(isAlive);
}

function registryOf({ engine, settings }: Pick<CollectionParts, 'engine' | 'settings'>) {
  return engine.containers.ofService(settings.project, 'registry');
}

/** @throws Failure `not-closed` unless nothing can be written here */
export async function expectClosed({ paths, settings, clock }: CollectionParts): Promise<void> {
  if ((await readMove(paths))?.kind !== 'gone')
    throw new Failure(
      'not-closed',
      'Writes are open here, though they were closed for the move.',
      'Somebody took it back: run `npm run move-to -- --cancel`, then begin anew.',
    );
  await expectRefused({ settings, clock }, 'closed');
}

/**
 * Has everything that runs here go by the mark that is there. Also where that was done before: the parts may have been
 * started anew, or stopped, since.
 * @throws Failure `writes-open`, `registry-outdated`, `registry-down`
 */
export async function lock({ registry, settings, clock, log }: CollectionParts): Promise<Done> {
  await expectRefused({ settings, clock }, 'closed');
  await registry.expectObedient('moved');
  await registry.restart();
  await awaitRegistry(settings, clock, log);
  return unchanged('closed here for good; pulls go on');
}
