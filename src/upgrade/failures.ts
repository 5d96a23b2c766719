import { Failure, messageOf } from '../errors.ts';
import type { Snapshot } from './snapshot.ts';

export function nothingToUndo(): Failure {
  return new Failure(
    'nothing-to-undo',
    'There is no upgrade that succeeded and could be taken back.',
    'Name what is to run: npm run upgrade -- --registry IMAGE',
  );
}

export function failedAndBack(cause: unknown): Failure {
  const remedy = cause instanceof Failure ? cause.remedy : 'Look into the lines above.';
  return new Failure(
    'upgrade-failed',
    `The upgrade failed, and was taken back: what ran before runs again, and works. ${messageOf(cause)}`,
    remedy,
    { cause },
  );
}

export function interruptedAndBack(): Failure {
  return new Failure(
    'upgrade-failed',
    'An upgrade had failed and was interrupted while it was taken back: this is done now, what ran before works.',
    'Fix what failed, then run this again: npm run upgrade -- --dry-run shows the plan.',
  );
}

export function failedAndNotBack(error: unknown, { name, revision }: Snapshot, cause: unknown): Failure {
  const files = revision === undefined ? '' : ` The checkout is at ${revision.slice(0, 12)}.`;
  const first = cause === undefined ? '' : ` What had failed first: ${messageOf(cause)}`;
  return new Failure(
    'not-back',
    `The upgrade failed, and what ran before does not work either: ${messageOf(error)}${first}`,
    `The settings of before are in var/upgrade/${name}.${files} If it was moved by git, move it back (git reflog), ` +
      'then run npm run upgrade: it tries again to go back.',
    { cause: error },
  );
}
