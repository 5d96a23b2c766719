import { Failure, unreachable } from '../errors.ts';
import { expectNotPaused } from '../stack/alive.ts';
import { awaitRegistry } from '../stack/answer.ts';
import type { WritesClosed } from '../stack/writes.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import { forgetInRedis } from '../storage/redis-forget.ts';
import { awaitQuiet, uploadsInWords } from './drain.ts';
import type { CollectionParts } from './parts.ts';

/** Most registries have such a moment soon; then nobody who pushes notices anything. */
const QUIET_SOON = 10_000;

/**
 * Waits for a moment in which nobody pushes. When there is none soon no upload may begin, and those on their way may end.
 * @param wait seconds for all of it
 */
export async function drain(
  { registry, clock, journal }: Pick<CollectionParts, 'registry' | 'clock' | 'journal'>,
  writes: WritesClosed,
  wait: number,
  report: Report,
): Promise<Done> {
  await journal.reach('drain');
  const look = () => registry.traffic();
  const soon = await awaitQuiet(look, { clock, patience: Math.min(wait * 1000, QUIET_SOON) }, report);
  if (soon.quiet) return unchanged('nothing is on the way');
  await writes.enter('closing');
  const { left } = await awaitQuiet(look, { clock, patience: Math.max(0, wait * 1000 - QUIET_SOON) }, report);
  if (left === 0) return changed('what was on the way has ended');
  return changed(
    `${uploadsInWords(left)} still on the way after ${wait} s: cut off, and to be tried again by their clients`,
  );
}

/** From here on nginx refuses every write. */
export async function close(
  { journal }: Pick<CollectionParts, 'journal'>,
  writes: WritesClosed,
): Promise<Done> {
  await journal.reach('close');
  await writes.enter('closed');
  return changed('refused with 503 and Retry-After; pulls go on');
}

/**
 * Has the registry take no write by any way, and remember nothing of its storage: a request that was past nginx already
 * must not come between, and nothing that it knows must outlive what is collected.
 */
export async function quieten(parts: CollectionParts, writes: WritesClosed): Promise<Done> {
  const { registry, settings, clock, journal, log } = parts;
  await journal.reach('quieten');
  await writes.enter('collecting');
  await registry.expectObedient('collecting');
  writes.expectHeld();
  await registry.restart();
  await awaitRegistry(settings, clock, log);
  await forgetDescriptors(parts);
  return changed('reads only, and without a cache');
}

/** Has it as it is to be again. What it remembers is only what it has seen since. */
export async function wake(
  { registry, settings, clock, journal, log }: CollectionParts,
  writes: WritesClosed,
): Promise<Done> {
  await journal.reach('wake');
  await writes.enter('closed');
  await registry.restart();
  await awaitRegistry(settings, clock, log);
  return changed('started anew');
}

/** @throws Failure `redis-silent`, `part-paused`, and those of `forgetInRedis` */
export async function forgetDescriptors({
  settings,
  engine,
}: Pick<CollectionParts, 'settings' | 'engine'>): Promise<void> {
  const { cache, project } = settings;
  switch (cache.kind) {
    case 'memory':
      return;
    case 'server':
      await forgetInRedis(cache);
      return;
    case 'stack': {
      // Nobody else has it. One that does not run remembers nothing: it keeps nothing on a disk. A paused one does.
      const found = await engine.containers.ofService(project, 'redis');
      expectNotPaused('redis', found);
      const redis = found.find(({ running }) => running);
      if (redis === undefined) return;
      const { exitCode, output } = await engine.containers.exec(redis.id, ['redis-cli', 'flushall']);
      if (exitCode === 0) return;
      throw new Failure(
        'redis-silent',
        `What the stack's Redis remembers of blobs could not be taken away: ${output.trim()}`,
        'No image was touched. Look into its log, docker compose logs redis, then run this again.',
      );
    }
    default:
      unreachable(cache);
  }
}
