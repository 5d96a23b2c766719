import type { Clock } from '../system/clock.ts';
import type { Refusal } from './refusal.ts';

/**
 * Milliseconds that whoever guesses has to wait for the answer, right after the guess and while throttled: what keeps
 * a flood from taking the machine is that each of its connections asks once in that time.
 */
const GUESS_COSTS = 1_000;
const GUESSED = new Set<Refusal['kind']>(['wrong-login', 'throttled']);
/** Beyond it answers come at once: waiting costs a connection of nginx. */
const MOST_WAITING = 400;

/** What a wrong password costs its sender. */
export class Penalty {
  readonly #clock: Clock;
  #waiting = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when the refusal may be told. */
  async for(refusal: Refusal): Promise<void> {
    if (!GUESSED.has(refusal.kind) || this.#waiting >= MOST_WAITING) return;
    this.#waiting += 1;
    try {
      await this.#clock.sleep(GUESS_COSTS);
    } finally {
      this.#waiting -= 1;
    }
  }
}
