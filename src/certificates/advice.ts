import type { Clock } from '../system/clock.ts';
import type { FailureSeries } from './attempts.ts';
import { type Issuer, type SuggestedWindow, sameOrigin } from './issuer.ts';
import { at, isSensible, scheduleOf } from './schedule.ts';
import type { Advice, RenewalState } from './state.ts';
import type { Current, Generation } from './store.ts';

const HOUR = 3_600_000;
/** A CA's word on when to ask again counts between these (RFC 9773 section 4.3.3 advises such bounds). */
const SOONEST = 1 * HOUR;
const LATEST = 24 * HOUR;
/** What the RFC suggests where the CA gives no time. */
const USUAL = 6 * HOUR;
/** Share of the lifetime. */
const AT_ONCE = 0.1;

/**
 * Asks the CA when it would like the current certificate to be renewed, if it is time to ask. A CA that does not
 * answer, or answers nonsense, changes nothing: the last window stays, or the lifetime decides.
 */
export async function refreshAdvice(
  issuers: readonly Issuer[],
  state: RenewalState,
  current: Current,
  clock: Clock,
): Promise<RenewalState> {
  if (current.kind !== 'present') return { ...state, advice: undefined };
  const { generation } = current;
  const issuer = issuers.find(({ origin }) => sameOrigin(origin, generation.origin));
  if (issuer?.renewalInfo === undefined) return { ...state, advice: undefined };
  const now = clock.now();
  const known = state.advice?.fingerprint === generation.certificate.fingerprint ? state.advice : undefined;
  if (known !== undefined && now < known.askAgain) return state;
  const info = await issuer.renewalInfo(generation.chain).catch(() => 'unknown' as const);
  const advice = info === 'unknown' ? unchanged(generation, known, now) : heard(generation, known, info, now);
  return { advice, failure: reopened(state.failure, known, advice, now) };
}

/**
 * The advice on a certificate that was issued just now. To replace it at once is followed tomorrow at the earliest: a
 * CA that always says so would be asked for one after the other.
 */
export async function firstAdvice(issuer: Issuer, current: Current, clock: Clock): Promise<RenewalState> {
  const state = await refreshAdvice([issuer], { failure: undefined, advice: undefined }, current, clock);
  const { advice } = state;
  if (current.kind !== 'present' || advice?.window === undefined) return state;
  const { certificate } = current.generation;
  const now = clock.now();
  if (scheduleOf(certificate, advice.window).due > at(certificate, AT_ONCE)) return state;
  return { ...state, advice: { ...advice, window: undefined, askAgain: after(now, LATEST) } };
}

function unchanged({ certificate }: Generation, known: Advice | undefined, now: Date): Advice {
  return { fingerprint: certificate.fingerprint, window: known?.window, askAgain: after(now, SOONEST) };
}

function heard(
  { certificate }: Generation,
  known: Advice | undefined,
  info: SuggestedWindow | undefined,
  now: Date,
): Advice {
  const asked = info?.retryAfter;
  const pause =
    asked === undefined ? USUAL : Math.min(LATEST, Math.max(SOONEST, asked.getTime() - now.getTime()));
  const sensible = info !== undefined && isSensible(info, certificate);
  return {
    fingerprint: certificate.fingerprint,
    window: sensible ? { start: info.start, end: info.end, explanation: info.explanation } : known?.window,
    askAgain: after(now, pause),
  };
}

/** A window that is over all of a sudden says that the certificate is to be revoked: that earns one try at once. */
function reopened(
  failure: FailureSeries | undefined,
  known: Advice | undefined,
  { window }: Advice,
  now: Date,
): FailureSeries | undefined {
  const isNew = window !== undefined && known?.window?.end.getTime() !== window.end.getTime();
  if (failure === undefined || !isNew || window.end > now || failure.blame === 'limit') return failure;
  return { ...failure, nextAttempt: now };
}

function after(now: Date, milliseconds: number): Date {
  return new Date(now.getTime() + milliseconds);
}
