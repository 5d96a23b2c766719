import type { Clock } from '../system/clock.ts';
import { AcmeProblem, AcmeUnreachable, isProblem } from './problem.ts';

/** What passes by itself is tried again after these pauses, in ms: a lost packet, a CA that restarts. */
const PAUSES = [1_000, 4_000, 16_000] as const;
/**
 * A refused nonce brings no load and no quota with it; the next one is as good as any (RFC 8555 section 6.5). Of a CA
 * that refuses nine in ten, one request in ten million fails.
 */
const NONCES = 150;

/**
 * Does one request to an ACME server, again where that helps. Rate limits are never waited for here.
 * @param hopeless errors that pass with others, but not here
 */
export async function persistently<T>(
  clock: Clock,
  request: () => Promise<T>,
  hopeless: (error: unknown) => boolean = () => false,
): Promise<T> {
  let nonces = 0;
  let pauses = 0;
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (isProblem(error, 'badNonce') && nonces < NONCES) {
        nonces += 1;
        continue;
      }
      const pause = PAUSES[pauses];
      if (!passes(error) || hopeless(error) || pause === undefined) throw error;
      pauses += 1;
      await clock.sleep(pause);
    }
  }
}

function passes(error: unknown): boolean {
  if (error instanceof AcmeUnreachable) return true;
  return error instanceof AcmeProblem && error.problem.status >= 500;
}
