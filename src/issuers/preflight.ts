import { IssuanceFailure } from '../certificates/issuer.ts';
import type { Ledger } from '../certificates/ledger.ts';
import { describeUse, exceeded, type Limits, usage } from '../certificates/limits.ts';
import { moment, span } from '../certificates/words.ts';
import { Failure } from '../errors.ts';

/** A certificate is valid from a moment on; clients with a right clock would refuse what this machine takes for good. */
const SKEW = 3_600_000;

/**
 * Compares this machine's clock with the CA's (`Date`, RFC 9110 section 6.6.1).
 * @throws Failure `clock-wrong`
 */
export function expectRightClock(now: Date, theirs: Date | undefined): void {
  if (theirs === undefined) return;
  const difference = now.getTime() - theirs.getTime();
  if (Math.abs(difference) <= SKEW) return;
  throw new Failure(
    'clock-wrong',
    `The clock of this machine says ${moment(now)}, that of the CA ${moment(theirs)}: ${span(Math.abs(difference))} apart.`,
    'Set the clock (timedatectl set-ntp true), then run this again. The CA was not asked for anything.',
  );
}

/** One CA's known limits, and what this machine has asked it for. */
export interface Account {
  readonly ledger: Ledger;
  /** URL */
  readonly directory: string;
  readonly limits: Limits | undefined;
  readonly now: Date;
}

/**
 * A request that would break a known limit is not sent: it would be refused, and it would count.
 * @param exempt a renewal that the CA itself suggested
 * @throws IssuanceFailure `limit`, with the moment from which there is room again
 */
export async function expectWithinLimits(
  { ledger, directory, limits, now }: Account,
  names: readonly string[],
  exempt: boolean,
): Promise<void> {
  if (limits === undefined) return;
  const over = exceeded(usage(await ledger.read(), limits, directory, names, now), exempt);
  if (over === undefined) return;
  throw new IssuanceFailure({
    blame: 'limit',
    message: `${new URL(directory).host} allows no further request now: ${describeUse(over)}. It was not asked.`,
    remedy: 'The renewer waits for that by itself. What is served does not change.',
    problem: 'rateLimited',
    retryAfter: over.freeAt,
  });
}
