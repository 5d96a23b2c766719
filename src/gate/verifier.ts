import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Secret } from '../secret.ts';
import type { Clock } from '../system/clock.ts';
import { dummyHash, paddingFor } from './dummy-hash.ts';
import type { Hasher, Lane, Outcome } from './hasher.ts';
import { originOf } from './origin.ts';
import { Throttle, type Throttled } from './throttle.ts';

export interface Login {
  readonly name: string;
  readonly password: Secret;
  /** IPv4 or IPv6, as nginx's `$remote_addr` writes it. */
  readonly address: string;
}

/** `first`: this password was not tried before, or not lately. Only then it counts as a failed login. */
export type Verdict =
  | { readonly kind: 'right' }
  | { readonly kind: 'wrong'; readonly first: boolean }
  | { readonly kind: 'throttled'; readonly seconds: number }
  | { readonly kind: 'busy'; readonly seconds: number };

export interface VerifierOptions {
  readonly hasher: Hasher;
  readonly clock: Clock;
  /** For how long an answer is remembered, in ms. */
  readonly ttl: number;
  /** The highest bcrypt cost among the users' hashes: names that there aren't cost as much. */
  readonly highestCost: () => number;
}

/** For so long a password that was right is known, so that no attack keeps its owner out: jobs that run daily. */
const KNOWN_FOR = 24 * 60 * 60_000;
/** About 3 MB each. The right ones have a memory of their own, out of which no amount of wrong ones pushes them. */
const REMEMBERED = 10_000;

/**
 * Whether a password belongs to the hash that is stored for a name.
 *
 * The order of the checks decides what an attacker learns and whom he can keep out:
 * 1. What is remembered is answered at once, before the throttle: a job with a stale password neither counts again nor
 *    is locked out with its address, and whoever is logged in stays so whatever others do. It tells nothing new: only
 *    who sent the very same before gets there, and there an unknown name is remembered like a wrong password.
 * 2. What is being verified is joined: fifty layers pushed at once are one comparison, and one failure.
 * 3. What was right within a day, with this very hash, is verified again in a lane of its own: past the throttle, in
 *    front of all strangers.
 * 4. Then the throttle, before any work, the same for every name whether there is one or not.
 * 5. Then bcrypt, as long for each wrong password: against a dummy where there is no such user, with padding where the
 *    hash is a cheap one. Failures are counted after it; how many get so far together is bounded by the queue.
 *
 * The memory holds HMACs under a key of this process over name, password and stored hash: another hash (a changed
 * password, a user that was removed or came) is another key, and all that was remembered is void.
 */
export class Verifier {
  readonly #options: VerifierOptions;
  readonly #throttle: Throttle;
  readonly #key = randomBytes(32);
  /** When each was verified, in ms. */
  readonly #right = new LRUCache<string, number>({ max: REMEMBERED });
  readonly #wrong = new LRUCache<string, number>({ max: REMEMBERED });
  readonly #underWay = new Map<string, Promise<Verdict>>();

  constructor(options: VerifierOptions) {
    this.#options = options;
    this.#throttle = new Throttle(options.clock);
  }

  /**
   * @param storedHash `undefined` when there is no such user
   * @throws Failure `hasher-failed`, `hasher-closed`
   */
  async verify(login: Login, storedHash: string | undefined): Promise<Verdict> {
    const { ttl } = this.#options;
    const key = this.#keyOf(login, storedHash);
    const lastRight = this.#age(this.#right.get(key));
    if (lastRight < ttl) return { kind: 'right' };
    if (this.#age(this.#wrong.get(key)) < ttl) return { kind: 'wrong', first: false };
    const joined = this.#underWay.get(key);
    if (joined !== undefined) return again(await joined);
    const verdict = this.#decide(key, login, storedHash, lastRight < KNOWN_FOR);
    this.#underWay.set(key, verdict);
    try {
      return await verdict;
    } finally {
      this.#underWay.delete(key);
    }
  }

  throttled(): Throttled {
    return this.#throttle.throttled();
  }

  async #decide(key: string, login: Login, storedHash: string | undefined, known: boolean): Promise<Verdict> {
    if (known) return this.#remember(key, await this.#compare(login, storedHash, { kind: 'known' }));
    const origin = originOf(login.address);
    const seconds = this.#throttle.wait(origin, login.name);
    if (seconds > 0) return { kind: 'throttled', seconds };
    const suspect = this.#throttle.isSuspect(origin);
    const outcome = await this.#compare(login, storedHash, { kind: 'stranger', origin, suspect });
    if (outcome.kind === 'wrong') this.#throttle.failed(origin, login.name);
    return this.#remember(key, outcome);
  }

  async #compare({ password }: Login, storedHash: string | undefined, lane: Lane): Promise<Outcome> {
    const highest = this.#options.highestCost();
    const hash = storedHash ?? dummyHash(highest);
    const outcome = await this.#options.hasher.compare(
      { password, hash, padding: paddingFor(hash, highest) },
      lane,
    );
    // Nobody has the password of the dummy. Should it ever be found, it opens nothing.
    return storedHash === undefined && outcome.kind === 'right' ? { kind: 'wrong' } : outcome;
  }

  #remember(key: string, outcome: Outcome): Verdict {
    const now = this.#options.clock.now().getTime();
    switch (outcome.kind) {
      case 'right':
        this.#right.set(key, now);
        return outcome;
      case 'wrong':
        this.#right.delete(key);
        this.#wrong.set(key, now);
        return { kind: 'wrong', first: true };
      case 'busy':
        return outcome;
    }
  }

  #age(verified: number | undefined): number {
    return verified === undefined ? Number.POSITIVE_INFINITY : this.#options.clock.now().getTime() - verified;
  }

  /** Each part with its length before it: no two logins have the same bytes. */
  #keyOf({ name, password }: Login, storedHash = ''): string {
    const hmac = createHmac('sha256', this.#key);
    for (const part of [name, password.reveal(), storedHash]) {
      const bytes = Buffer.from(part);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      hmac.update(length).update(bytes);
    }
    return hmac.digest('base64');
  }
}

/** For whoever joined: the failure is the first one’s. */
function again(verdict: Verdict): Verdict {
  return verdict.kind === 'wrong' ? { kind: 'wrong', first: false } : verdict;
}
