import { z } from 'zod';
import { Failure, WrongInput } from '../errors.ts';
import type { Entry, Journal } from '../journal.ts';
import type { Staged } from './put-in-place.ts';

/** Of a restore, in order. Up to `fetch` nothing of the machine has changed. */
export type RestoreStep = 'fetch' | 'aside' | 'place' | 'start';

const STEPS: readonly string[] = ['fetch', 'aside', 'place', 'start'] satisfies RestoreStep[];

const facts = z.object({ snapshot: z.string(), stamp: z.string(), data: z.string() });

export async function beginRestore(journal: Journal, { snapshot, stamp, data }: Staged): Promise<void> {
  await journal.begin({ snapshot, stamp, data: data ?? '' });
  await journal.reach('fetch');
}

export interface Begun {
  readonly staged: Staged;
  readonly since: Date;
  /** Whether a step is still to do. */
  readonly isAhead: (step: RestoreStep) => boolean;
}

/**
 * A restore that was killed after it began to change this machine: it has to be ended before anything else.
 * @throws WrongInput when another backup is asked for
 */
export function begunRestore(entry: Entry | undefined, asked: string | undefined): Begun | undefined {
  if (entry === undefined || entry.step === '' || entry.step === 'fetch') return undefined;
  const { snapshot, stamp, data } = facts.parse(entry.facts);
  if (asked !== undefined && asked !== 'latest' && !snapshot.startsWith(asked))
    throw new WrongInput([
      {
        input: '--snapshot',
        message: `a restore of ${snapshot.slice(0, 8)} is half done; run it to its end first`,
      },
    ]);
  return {
    staged: { snapshot, stamp, data: data === '' ? undefined : data },
    since: entry.since,
    isAhead: (step) => STEPS.indexOf(step) >= STEPS.indexOf(entry.step),
  };
}

/**
 * Nothing else may begin on files of which some are moved and some are not yet.
 * @throws Failure `restore-unfinished`
 */
export function expectNoneHalfDone(entry: Entry | undefined): void {
  if (entry?.step !== 'aside' && entry?.step !== 'place') return;
  throw new Failure(
    'restore-unfinished',
    `A restore that began at ${entry.since.toISOString()} was interrupted half way.`,
    'Run `npm run restore` first: it brings it to its end.',
  );
}
