import type { Clock } from '../system/clock.ts';
import { refreshAdvice } from './advice.ts';
import { type FailureSeries, needsFallback, openAgain, whoseTurn } from './attempts.ts';
import { type Decision, decide } from './decide.ts';
import type { Deployment } from './deploy.ts';
import { describeOrigin, directoryOf, type Issuer } from './issuer.ts';
import type { Ledger } from './ledger.ts';
import { scheduleOf } from './schedule.ts';
import type { RenewalState, StateFile } from './state.ts';
import type { CertificateStore, Current } from './store.ts';

export interface RenewalParts extends Deployment {
  readonly issuer: Issuer;
  /** Asked instead while the first one keeps failing. */
  readonly fallback: Issuer | undefined;
  readonly state: StateFile;
  readonly ledger: Ledger;
  readonly lockFile: string;
  /** From [0, 1). */
  readonly random: () => number;
}

/** What is, what is to be done about it and why, and what went wrong lately. */
export interface Outlook {
  readonly current: Current;
  readonly decision: Decision;
  /** When the current certificate is to be renewed, unless it is a placeholder. */
  readonly renewalDue: Date | undefined;
  readonly failure: FailureSeries | undefined;
}

/** All that a renewal has to know before it acts. */
export interface Look {
  readonly outlook: Outlook;
  /** Who is asked if something is to be issued. */
  readonly asked: Issuer;
  readonly state: RenewalState;
  readonly subject: string;
  /** The failures as they were written down; in `outlook` it is told when whoever is asked next is asked. */
  readonly series: FailureSeries | undefined;
}

/** Gathers and decides. Asks the CA for its advice if it is time to, and changes nothing else. Under the renewal's lock. */
export async function look(parts: RenewalParts): Promise<Look> {
  const { store, issuer, fallback, clock } = parts;
  const issuers = fallback === undefined ? [issuer] : [issuer, fallback];
  const current = await store.current();
  const before = await parts.state.read(clock.now());
  const state = await refreshAdvice(issuers, before, current, clock);
  if (state !== before && state.advice !== before.advice) await parts.state.write(state);
  const offered = await issuer.offered?.();
  return { ...view(parts, current, state, offered), state };
}

interface Viewer<I extends Pick<Issuer, 'origin'>> {
  readonly issuer: I;
  readonly fallback: I | undefined;
  readonly names: readonly string[];
  readonly clock: Clock;
}

interface Glance extends Viewer<Pick<Issuer, 'origin' | 'offered'>> {
  readonly store: CertificateStore;
  readonly state: StateFile;
}

/** The same from what is known already: asks nobody, waits for nobody, writes nothing. */
export async function glance(parts: Glance): Promise<Outlook> {
  const { store, state, issuer, clock } = parts;
  const current = await store.current();
  const offered = await issuer.offered?.();
  const { outlook } = view(parts, current, adviceOn(await state.read(clock.now()), current), offered);
  return outlook;
}

/** Advice on another certificate is none. */
function adviceOn(state: RenewalState, current: Current): RenewalState {
  const fingerprint = current.kind === 'present' ? current.generation.certificate.fingerprint : undefined;
  return state.advice?.fingerprint === fingerprint ? state : { ...state, advice: undefined };
}

function view<I extends Pick<Issuer, 'origin'>>(
  { issuer, fallback, names, clock }: Viewer<I>,
  current: Current,
  state: RenewalState,
  offered: string | undefined,
) {
  const decision = decide({
    current,
    wanted: { names, origins: [issuer.origin, ...(fallback === undefined ? [] : [fallback.origin])] },
    window: state.advice?.window,
    offered,
    now: clock.now(),
  });
  const subject = [describeOrigin(issuer.origin), ...names, offered ?? ''].join(' ');
  const series = state.failure?.subject === subject ? state.failure : undefined;
  const certificate = current.kind === 'present' ? current.generation.certificate : undefined;
  const stuck = needsFallback(series, certificate, clock.now());
  const asked = series && fallback && stuck ? whoseTurn(series, issuer, fallback) : issuer;
  const failure = series && { ...series, nextAttempt: openAgain(series, directoryOf(asked.origin)) };
  const renewalDue = decision.kind === 'none' ? undefined : plannedRenewal(current, state);
  return { outlook: { current, decision, renewalDue, failure }, asked, subject, series };
}

function plannedRenewal(current: Current, { advice }: RenewalState): Date | undefined {
  if (current.kind !== 'present' || current.generation.origin.issuer === 'placeholder') return undefined;
  return scheduleOf(current.generation.certificate, advice?.window).due;
}
