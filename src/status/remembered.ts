import type { Clock } from '../system/clock.ts';

/** Looked again after so many times as long as a look takes, so that most of the time nobody looks. */
const REST = 20;
const LEAST_REST = 10_000;
const FIRST_WAIT = 500;

/**
 * A look that takes its time, for who asks again and again: answers what was found last, and looks again now and then.
 * @returns `undefined` while the first look goes on
 */
export function remembered<T>(look: () => Promise<T>, clock: Clock): () => Promise<T | undefined> {
  let found: T | undefined;
  let looking: Promise<void> | undefined;
  let next = 0;
  const lookAgain = async () => {
    const began = clock.now().getTime();
    found = await look();
    const ended = clock.now().getTime();
    next = ended + Math.max(LEAST_REST, REST * (ended - began));
    looking = undefined;
  };
  return async () => {
    if (clock.now().getTime() >= next) looking ??= lookAgain();
    if (found === undefined && looking !== undefined) await Promise.race([looking, clock.sleep(FIRST_WAIT)]);
    return found;
  };
}
