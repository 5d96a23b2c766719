import { messageOf, unreachable } from '../errors.ts';
import type { FailureSeries } from './attempts.ts';
import type { Certificate } from './certificate.ts';
import type { Outlook, RenewalParts } from './outlook.ts';
import { ensurePlaceholder } from './placeholder.ts';
import { assess, tend } from './renewal.ts';

/** One line for the log of the daemon. */
export type Log = (line: string) => void;

/** How things stand after a tick. */
export interface Standing {
  /** The one that is served, unless it is a placeholder. */
  readonly certificate: (Certificate & { readonly renewalDue: Date }) | undefined;
  readonly failure: FailureSeries | undefined;
  /** There is none, and none is wanted. */
  readonly plain: boolean;
}

export interface Listeners {
  readonly log: Log;
  /** Alerts whom it concerns, and says in lines whom. */
  readonly tell: (standing: Standing) => Promise<readonly string[]>;
}

/** Files that somebody else writes are looked at this often, in ms: a look costs nothing. */
const FOLLOW_EVERY = 10_000;
/** When something is to be done again although nothing failed: it changed in the meantime. */
const LOOK_AGAIN = 60_000;

/** Before the first tick: nginx has to have something to start with. */
export async function prepare({ store, names, clock }: RenewalParts, log: Log): Promise<void> {
  const { changed } = await ensurePlaceholder(store, names, clock);
  if (changed) log('made a placeholder for nginx to start with');
}

/**
 * One look at the certificate. A failure is logged and waits for its turn; it never ends the daemon.
 * @returns when there will be something to do, if that is known
 */
export async function tick(parts: RenewalParts, { log, tell }: Listeners): Promise<Date | undefined> {
  try {
    const { changed, summary } = await tend(parts, log);
    log(changed ? `certificate ${summary}` : summary);
  } catch (error) {
    log(`failed: ${messageOf(error)}`);
  }
  try {
    const outlook = await assess(parts);
    for (const line of await tell(standing(outlook))) log(line);
    const soon = new Date(parts.clock.now().getTime() + FOLLOW_EVERY);
    const next = nextLook(outlook, parts.clock.now());
    const follows = parts.issuer.offered !== undefined;
    return follows && (next === undefined || next > soon) ? soon : next;
  } catch (error) {
    log(`could not look: ${messageOf(error)}`);
    return undefined;
  }
}

function standing({ current, renewalDue, failure, decision }: Outlook): Standing {
  const plain = decision.kind === 'none';
  if (current.kind !== 'present' || renewalDue === undefined)
    return { certificate: undefined, failure, plain };
  return { certificate: { ...current.generation.certificate, renewalDue }, failure, plain };
}

function nextLook({ decision, failure }: Outlook, now: Date): Date | undefined {
  switch (decision.kind) {
    case 'none':
      return undefined;
    case 'issue':
      return failure?.nextAttempt ?? new Date(now.getTime() + LOOK_AGAIN);
    case 'keep':
      return decision.due;
    default:
      return unreachable(decision);
  }
}
