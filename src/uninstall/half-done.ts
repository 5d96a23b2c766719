import { Failure } from '../errors.ts';

/** A command that was interrupted. */
export interface Journalled {
  /** `npm run NAME` */
  readonly command: string;
  readonly since: Date;
  /** At which step; empty before the first one. */
  readonly step: string;
}

/** Steps of `move-to` at which the other machine has all that is here. */
const ARRIVED: readonly string[] = ['start', 'compare'];

/** @throws Failure `half-done` for a command that needs what would be removed in order to come to its end */
export function expectNoneInNeed(halfDone: readonly Journalled[], purge: boolean): void {
  const move = halfDone.find(({ command }) => command === 'move-to');
  if (purge && move !== undefined && !ARRIVED.includes(move.step))
    throw new Failure(
      'half-done',
      `A move to another machine that began at ${move.since.toISOString()} was interrupted: that one has not got everything that is here.`,
      'Bring it to its end first (npm run move-to), or give it up (npm run move-to -- --cancel).',
    );
  const upgrade = halfDone.find(({ command }) => command === 'upgrade');
  if (upgrade === undefined || purge) return;
  throw new Failure(
    'half-done',
    `An upgrade that began at ${upgrade.since.toISOString()} was interrupted, and needs its images to come to an end.`,
    'End it first: npm run upgrade. With --purge nothing is kept that it could hurt.',
  );
}
