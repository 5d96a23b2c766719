import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CHECKER } from '../access/prover.ts';
import { messageOf, systemCode, unreachable } from '../errors.ts';
import type { Events } from '../events.ts';
import type { Entry, Journal } from '../journal.ts';
import type { Paths } from '../paths.ts';
import { dropLease } from '../stack/writes.ts';
import { changed, type Done, unchanged } from '../step.ts';
import { type Clock, eventually } from '../system/clock.ts';
import { removeTemporaryUser } from '../users/temporary-user.ts';
import { COLLECTOR, type CollectionParts, HOLDER } from './parts.ts';

export interface FinishParts {
  readonly paths: Pick<Paths, 'maintenance' | 'usersFile'>;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly events: Events;
}

/** What is to be done about a run that did not come to its end. */
export type Rest = 'nothing' | 'await-collector' | 'clear';

const ENDED = { within: 24 * 60 * 60 * 1000, every: 500 };

/**
 * Its collector goes on without it and holds a lease of its own. The registry ends its quiet by itself when no lease
 * asks for it any more (registry/config/start.sh), and nginx takes writes again: only what lies about is left to do.
 */
export function restOf(entry: Entry | undefined, collectorWorks: boolean): Rest {
  if (entry === undefined) return 'nothing';
  return collectorWorks ? 'await-collector' : 'clear';
}

/**
 * Ends what a run left that was killed. To be called by who holds the lock of collections; it needs no engine.
 * @param works whether the collector may be at work
 * @param patient whether to wait for it; else the next look finds it ended
 */
export async function finishInterrupted(
  { paths, clock, journal, events }: FinishParts,
  works: () => Promise<boolean>,
  { patient }: { readonly patient: boolean },
): Promise<Done> {
  const entry = await journal.interrupted();
  const rest = restOf(entry, await works());
  switch (rest) {
    case 'nothing':
      return unchanged('nothing was interrupted');
    case 'await-collector':
      if (!patient) return unchanged('the collector of an interrupted run is still at work');
      await eventually(clock, ENDED, async () => ((await works()) ? undefined : true));
      break;
    case 'clear':
      break;
    default:
      unreachable(rest);
  }
  await dropLease(paths, HOLDER);
  await dropLease(paths, COLLECTOR);
  await rm(join(paths.maintenance, `${COLLECTOR}.folders`), { force: true });
  await removeTemporaryUser(paths.usersFile, CHECKER).catch(toleratingReadOnly);
  const step = entry?.step || 'begin';
  const text = `a collection of ${entry?.since.toISOString()} was cut off at the step “${step}”; what it left is cleared away`;
  await events.record(HOLDER, 'done', text);
  await journal.end();
  return changed(text);
}

/** The renewer may not change users: then the next collection takes this one away, whose password nobody has. */
function toleratingReadOnly(error: unknown): void {
  if (systemCode(error) !== 'EROFS') throw error;
}

/**
 * For a run that fails and lives: it has left nothing to finish, unless its collector is still at work.
 * @throws the failure
 */
export async function noteFailure(
  { registry, journal, events }: Pick<CollectionParts, 'registry' | 'journal' | 'events'>,
  failure: unknown,
): Promise<never> {
  await events.record(HOLDER, 'trouble', messageOf(failure));
  const works = await registry.collectorRuns().catch(() => true); // without the engine nobody knows
  if (!works) await journal.end();
  throw failure;
}
