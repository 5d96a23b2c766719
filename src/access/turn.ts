import { dirname, join } from 'node:path';
import { systemClock } from '../system/clock.ts';
import { withLockInTurn } from '../system/lock.ts';

const OTHER_CHANGE_TAKES = 10_000;

/**
 * One change at a time of `file` and all beside it: users, tokens and access.yaml share a folder and its lock. Waits for
 * another change that is under way.
 * @throws Failure `locked` after 10 s
 */
export async function inTurn<T>(file: string, change: () => Promise<T>): Promise<T> {
  const path = join(dirname(file), '.lock');
  const turn = { path, what: 'A change of users', clock: systemClock, patience: OTHER_CHANGE_TAKES };
  return withLockInTurn(turn, change);
}
