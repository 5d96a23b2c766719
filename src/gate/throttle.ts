import { LRUCache } from 'lru-cache';
import type { Clock } from '../system/clock.ts';

/** A bucket of failures: so many at once, then one each `every` ms. */
interface Limit {
  readonly burst: number;
  readonly every: number;
}

/**
 * An office or a CI farm behind one address has some people with a stale password at the same time: 20 fit. Then one
 * each 3 s is 29,000 guesses a day, with which not even a password of four digits falls in the first hours, and costs
 * a twelfth of a core at bcrypt's cost 12.
 */
const PER_ORIGIN: Limit = { burst: 20, every: 3_000 };
/**
 * Somebody who tries all the passwords they ever had needs 10. Then one each 10 s, from all the world together: 8,600 a
 * day. It can't be less: as long as somebody guesses, the real owner has to hit upon a free moment to log in from a
 * new place (who is known already is never asked).
 */
const PER_NAME: Limit = { burst: 10, every: 10_000 };
/** A guesser among many has to wait for minutes to be heard, and is still one. */
const SUSPECT_FOR = 10 * 60_000;
/** Who goes on trying is let through now and then: that does not end it. */
const LATELY = 60_000;
/** About 2 MB each. Failures cost bcrypt's time: so many in the 100 s that a name is remembered can't be made. */
const REMEMBERED = 10_000;

/** How many had to wait lately. */
export interface Throttled {
  readonly origins: number;
  readonly names: number;
}

/** Counts failed logins by where they come from and by the name, in bounded memory. */
export class Throttle {
  readonly #clock: Clock;
  /** For each the time, in ms, when its last failure will be forgiven. */
  readonly #origins = new LRUCache<string, number>({ max: REMEMBERED });
  readonly #names = new LRUCache<string, number>({ max: REMEMBERED });
  /** When each origin failed last, in ms. */
  readonly #failures = new LRUCache<string, number>({ max: REMEMBERED });
  /** When each was made to wait last, in ms. */
  readonly #heldOrigins = new LRUCache<string, number>({ max: REMEMBERED });
  readonly #heldNames = new LRUCache<string, number>({ max: REMEMBERED });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Seconds until the next attempt may be made, for Retry-After; 0 when it may be made now. */
  wait(origin: string, name: string): number {
    const now = this.#clock.now().getTime();
    const byOrigin = waitOf(PER_ORIGIN, debt(PER_ORIGIN, this.#origins.get(origin), now));
    const byName = waitOf(PER_NAME, debt(PER_NAME, this.#names.get(keyOf(name)), now));
    if (byOrigin > 0) this.#heldOrigins.set(origin, now);
    if (byName > 0) this.#heldNames.set(keyOf(name), now);
    return Math.ceil(Math.max(byOrigin, byName) / 1000);
  }

  failed(origin: string, name: string): void {
    const now = this.#clock.now().getTime();
    const key = keyOf(name);
    this.#failures.set(origin, now);
    this.#origins.set(origin, now + debt(PER_ORIGIN, this.#origins.get(origin), now) + PER_ORIGIN.every);
    this.#names.set(key, now + debt(PER_NAME, this.#names.get(key), now) + PER_NAME.every);
  }

  /** From how many places, and for how many names, an attempt had to wait within the last minute. */
  throttled(): Throttled {
    const since = this.#clock.now().getTime() - LATELY;
    const count = (held: LRUCache<string, number>) => [...held.values()].filter((at) => at > since).length;
    return { origins: count(this.#heldOrigins), names: count(this.#heldNames) };
  }

  /** Whether a login from there failed lately. */
  isSuspect(origin: string): boolean {
    const failed = this.#failures.get(origin);
    return failed !== undefined && this.#clock.now().getTime() - failed < SUSPECT_FOR;
  }
}

/** How long it takes, in ms, until all is forgiven. Never more than after a full burst, even if the clock was set back. */
function debt({ burst, every }: Limit, forgiven: number | undefined, now: number): number {
  return Math.min(Math.max((forgiven ?? now) - now, 0), burst * every);
}

function waitOf({ burst, every }: Limit, owed: number): number {
  return Math.max(owed - (burst - 1) * every, 0);
}

/** No user's name is so long; and a map of long names would not be small. */
function keyOf(name: string): string {
  return name.slice(0, 128);
}
