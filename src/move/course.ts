import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DEFAULT_FOLDER } from '../deploy/target.ts';
import { WrongInput } from '../errors.ts';
import type { Entry, Journal } from '../journal.ts';

/**
 * Of a move, in order. Up to `drain` nothing of this machine has changed, and from `close` on nothing is written here. At
 * `start` the other one may take writes: from there on nothing is copied any more.
 */
export type MoveStep = 'copy' | 'drain' | 'close' | 'replay' | 'verify' | 'start' | 'compare';

const STEPS: readonly string[] = [
  'copy',
  'drain',
  'close',
  'replay',
  'verify',
  'start',
  'compare',
] satisfies MoveStep[];

/** Where a registry goes. */
export interface Goal {
  /** `user@host`, as `parseDestination` reads it. */
  readonly to: string;
  /** Of the checkout there. Absolute. */
  readonly folder: string;
  /** Settings that are others there, by name; an empty one is unset there. */
  readonly set: Readonly<Record<string, string>>;
}

export interface Begun {
  readonly goal: Goal;
  readonly since: Date;
  /** Whether a step is still to do. */
  readonly isAhead: (step: MoveStep) => boolean;
}

const facts = z.object({
  to: z.string(),
  folder: z.string(),
  set: z.string().transform((text) => z.record(z.string(), z.string()).parse(JSON.parse(text))),
});

export function beginMove(journal: Journal, { to, folder, set }: Goal): Promise<void> {
  return journal.begin({ to, folder, set: JSON.stringify(set) });
}

/** What of the goal was said on the command line. */
export interface Asked {
  readonly to: string | undefined;
  readonly folder: string | undefined;
  readonly set: Goal['set'];
}

/**
 * A move that was cut off.
 * @throws WrongInput when it is asked to go elsewhere than it began: two machines would have half of a registry each
 */
export function begunMove(entry: Entry | undefined, asked: Asked): Begun | undefined {
  if (entry === undefined) return undefined;
  const goal = facts.parse(entry.facts);
  const closed = STEPS.indexOf(entry.step) >= STEPS.indexOf('close');
  const other = (input: string, was: string) =>
    new WrongInput([
      {
        input,
        message: `a move to ${was} is half done; run it to its end, or give it up: npm run move-to -- --cancel`,
      },
    ]);
  if (asked.to !== undefined && asked.to !== goal.to) throw other(asked.to, goal.to);
  if (asked.folder !== undefined && asked.folder !== goal.folder) throw other('--dir', goal.folder);
  const set = { ...goal.set, ...asked.set };
  if (closed && JSON.stringify(set) !== JSON.stringify(goal.set)) throw other('--set', goal.to);
  return {
    goal: { ...goal, set },
    since: entry.since,
    isAhead: (step) => STEPS.indexOf(step) >= STEPS.indexOf(entry.step),
  };
}

/** The same on both machines, and nobody else's: it is made of a secret that goes along. */
export function identityOf(httpSecret: string): string {
  return createHash('sha256').update(`moorage move ${httpSecret}`).digest('hex');
}

/** @throws WrongInput when nobody says where to */
export function goalOf({ to, folder, set }: Asked): Goal {
  if (to === undefined)
    throw new WrongInput([
      { input: 'user@host', message: 'is missing; give the machine that the registry is to move to' },
    ]);
  return { to, folder: folder ?? DEFAULT_FOLDER, set };
}
