import { createHash } from 'node:crypto';
import { z } from 'zod';
import { counted } from '../counted.ts';
import { Failure, messageOf } from '../errors.ts';
import type { Events } from '../events.ts';
import type { Clock } from '../system/clock.ts';
import { ownerToKeep, writeAtomically } from '../system/files.ts';
import { readAs } from '../system/json.ts';
import type { Applied } from './apply.ts';
import type { Retention } from './rules.ts';

export interface DailyParts {
  readonly clock: Clock;
  readonly events: Events;
  /** What it remembers from day to day. */
  readonly stateFile: string;
  /** What tells this installation from others: each has a time of day of its own. */
  readonly seed: string;
  readonly readRules: () => Promise<Retention | undefined>;
  /** Removes what goes, under the lock. `undefined` where nothing does. */
  readonly prune: (retention: Retention) => Promise<Applied | undefined>;
}

const shape = z.object({
  /** When it was last done, or first thought of. */
  last: z.coerce.date(),
  /** Why it was not done then. */
  failure: z.string().optional(),
});

type State = z.infer<typeof shape>;

const MODE = 0o600;
const DAY = 86_400_000;
const MINUTE = 60_000;

/**
 * Goes by the rules once a day, at a time that stays. Rules that are new wait for it too: who wrote them can still look
 * at the plan. A failure is told once, and tried again the next day; behind another command it waits for a tick.
 * @returns lines for the log
 */
export async function pruneDaily(parts: DailyParts): Promise<readonly string[]> {
  const { clock, events, stateFile } = parts;
  const rules = await parts.readRules();
  if (rules === undefined) return [];
  const now = clock.now();
  const read = await readAs(stateFile, shape); // what can't be read counts as never done
  const state = read !== undefined && read.last > now ? undefined : read; // the clock was ahead then
  if (state === undefined) await writeState(stateFile, { last: now });
  if (state === undefined || state.last >= lastTurn(now, parts.seed)) return [];
  try {
    const applied = await parts.prune(rules);
    await writeState(stateFile, { last: now });
    if (applied === undefined) return [];
    const told = `${removedInWords(applied)} by retention.yaml`;
    await events.record('prune', 'done', told);
    return [told];
  } catch (error) {
    if (error instanceof Failure && error.code === 'locked') return [];
    const failure = messageOf(error);
    await writeState(stateFile, { last: now, failure });
    if (failure === state.failure) return [];
    await events.record('prune', 'trouble', `nothing was removed by retention.yaml: ${failure}`);
    return [`nothing was removed by retention.yaml: ${failure}`];
  }
}

/** When it was last the time to do it. */
export function lastTurn(now: Date, seed: string): Date {
  const minute = createHash('sha256').update(seed).digest().readUInt32BE(0) % (DAY / MINUTE);
  const today = Math.floor(now.getTime() / DAY) * DAY + minute * MINUTE;
  return new Date(today <= now.getTime() ? today : today - DAY);
}

/** `12 tags and 3 untagged manifests removed`. */
export function removedInWords({ removed, untagged }: Pick<Applied, 'removed' | 'untagged'>): string {
  const parts = [
    ...(removed > 0 ? [counted(removed, 'tag')] : []),
    ...(untagged > 0 ? [counted(untagged, 'untagged manifest')] : []),
  ];
  return `${parts.length === 0 ? 'nothing' : parts.join(' and ')} removed`;
}

async function writeState(file: string, state: State): Promise<void> {
  await writeAtomically(file, JSON.stringify(state), MODE, await ownerToKeep(file));
}
