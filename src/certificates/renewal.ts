import { changed, type Done, type Report, unchanged } from '../step.ts';
import { withLockInTurn } from '../system/lock.ts';
import { firstAdvice, refreshAdvice } from './advice.ts';
import {
  afterFailure,
  describeSeries,
  type FailureSeries,
  needsFallback,
  needsRehearsal,
  openAgain,
  whoseTurn,
} from './attempts.ts';
import { type Cause, type Decision, decide } from './decide.ts';
import { type Deployment, deploy, expectSoundConfig, serveCurrent } from './deploy.ts';
import { describeOrigin, directoryOf, IssuanceFailure, type Issuer, type Order } from './issuer.ts';
import type { Ledger } from './ledger.ts';
import { scheduleOf } from './schedule.ts';
import type { RenewalState, StateFile } from './state.ts';
import type { Current, Generation } from './store.ts';
import { day, moment } from './words.ts';

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

/** A CA may take its time; the daemon and a person's command take turns. */
const OTHER_RENEWAL_TAKES = 5 * 60_000;
/** With these a name or a CA is new: mistakes are likely, and the CA's staging server is the place for them. */
const WORTH_A_REHEARSAL: readonly Cause[] = ['placeholder', 'missing', 'issuer', 'names'];

/** What would be done now, and why. Asks the CA for its advice if it is time to, and changes nothing else. */
export function assess(parts: RenewalParts): Promise<Outlook> {
  return inTurn(parts, async () => (await look(parts)).outlook);
}

/**
 * Makes sure that nginx serves a certificate for these names, by this issuer, that is not due: locks, looks again, and
 * only then acts. A certificate that is on the disk but not served is loaded, never issued again.
 * @throws Failure `locked`, and those of the issuer and of `deploy`
 */
export function ensureCertificate(
  parts: RenewalParts,
  { force }: { force: boolean },
  report: Report,
): Promise<Done<Generation>> {
  return inTurn(parts, async () => {
    const seen = await look(parts);
    const { decision, current, failure } = seen.outlook;
    if (current.kind === 'present') {
      if (decision.kind === 'none') return unchanged(decision.reason, current.generation);
      if (decision.kind === 'keep' && !force)
        return serve(parts, current.generation, decision.reason, report);
    }
    report(decision.kind === 'keep' ? `asked for, though ${decision.reason}` : decision.reason);
    expectNotLimited(failure, seen.asked, parts.clock.now());
    return issueAndDeploy(parts, seen, report);
  });
}

/** The same for the daemon: what failed lately waits for its turn. `undefined` while it waits with nothing to serve. */
export function tend(parts: RenewalParts, report: Report): Promise<Done<Generation | undefined>> {
  return inTurn(parts, async () => {
    const seen = await look(parts);
    const { outlook, state, subject } = seen;
    const { decision, current, failure } = outlook;
    if (decision.kind === 'none') return unchanged(idle(decision.reason), undefined);
    const waits = failure !== undefined && parts.clock.now() < failure.nextAttempt;
    if (decision.kind === 'issue' && !waits) {
      report(decision.reason);
      return issueAndDeploy(parts, seen, report);
    }
    if (decision.kind === 'issue' && failure !== undefined) {
      const told = `waiting: ${describeSeries(failure)}`;
      if (current.kind !== 'present') return unchanged(told, undefined);
      return serve(parts, current.generation, told, report);
    }
    if (current.kind !== 'present') return unchanged(idle(decision.reason), undefined);
    const { generation } = current;
    const done = await serve(parts, generation, idle(decision.reason), report).catch(
      async (error: unknown) => {
        const { issuer } = parts;
        await remember(parts, error, {
          issuer,
          subject,
          state,
          series: seen.series,
          certificate: generation.certificate,
        });
        throw error;
      },
    );
    // A limit holds, also for whoever asks though nothing is due.
    const limited = failure?.blame === 'limit' && waits;
    if (failure !== undefined && !limited) await parts.state.write({ ...state, failure: undefined });
    return done;
  });
}

/**
 * Goes the whole way without touching what is served: nginx's configuration, then the issuer's rehearsal.
 * @returns in words how far that was
 */
export function rehearse(parts: RenewalParts, report: Report): Promise<string> {
  return inTurn(parts, async () => {
    await expectSoundConfig(parts.webServer, 'now');
    return parts.issuer.rehearse({ names: parts.names, replaces: undefined }, report);
  });
}

interface Look {
  readonly outlook: Outlook;
  /** Who is asked if something is to be issued. */
  readonly asked: Issuer;
  readonly state: RenewalState;
  readonly subject: string;
  /** The failures as they were written down; in `outlook` it is told when whoever is asked next is asked. */
  readonly series: FailureSeries | undefined;
}

async function look(parts: RenewalParts): Promise<Look> {
  const { store, names, issuer, fallback, clock } = parts;
  const issuers = fallback === undefined ? [issuer] : [issuer, fallback];
  const current = await store.current();
  const before = await parts.state.read(clock.now());
  const state = await refreshAdvice(issuers, before, current, clock);
  if (state !== before && state.advice !== before.advice) await parts.state.write(state);
  const offered = await issuer.offered?.();
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
  return { outlook: { current, decision, renewalDue, failure }, asked, state, subject, series };
}

function plannedRenewal(current: Current, { advice }: RenewalState): Date | undefined {
  if (current.kind !== 'present' || current.generation.origin.issuer === 'placeholder') return undefined;
  return scheduleOf(current.generation.certificate, advice?.window).due;
}

async function serve(
  parts: RenewalParts,
  generation: Generation,
  reason: string,
  report: Report,
): Promise<Done<Generation>> {
  const loaded = await serveCurrent(parts, generation, report);
  return loaded ? changed('loaded by nginx', generation) : unchanged(reason, generation);
}

async function issueAndDeploy(
  parts: RenewalParts,
  { outlook: { current, decision }, asked: issuer, state, subject, series }: Look,
  report: Report,
): Promise<Done<Generation>> {
  const { names, store, clock, ledger, webServer } = parts;
  const certificate = current.kind === 'present' ? current.generation.certificate : undefined;
  const isNew = decision.kind === 'issue' && WORTH_A_REHEARSAL.includes(decision.cause);
  const order: Order = { names, replaces: replaced(current), rehearse: isNew || needsRehearsal(series) };
  try {
    await store.expectWritable();
    await expectSoundConfig(webServer, 'before the CA is asked');
    const generation = await deploy(parts, await issuer.issue(order, report), report);
    await ledger.add({ event: 'served', names: [...names], fingerprint: generation.certificate.fingerprint });
    await store.prune();
    await parts.state.write(await firstAdvice(issuer, await store.current(), clock));
    const { issuerName, notAfter } = generation.certificate;
    return changed(`by ${issuerName}, until ${day(notAfter)}`, generation);
  } catch (error) {
    await remember(parts, error, { issuer, subject, state, series, certificate }).catch(() =>
      report('what failed could not be written down'),
    );
    throw error;
  }
}

interface Attempt {
  readonly issuer: Issuer;
  readonly subject: string;
  readonly state: RenewalState;
  readonly series: FailureSeries | undefined;
  readonly certificate: Generation['certificate'] | undefined;
}

async function remember(parts: RenewalParts, error: unknown, attempt: Attempt): Promise<void> {
  const { subject, state, series: before, certificate, issuer } = attempt;
  const reason = error instanceof Error ? error : new Error(String(error));
  const { clock, random, ledger, names } = parts;
  const directory = directoryOf(issuer.origin);
  const failed = { subject, directory, error: reason };
  const series = afterFailure(before, failed, certificate, clock.now(), random());
  await parts.state.write({ ...state, failure: series });
  const { blame, problem, message, rehearsal } = series;
  const counted = rehearsal ? undefined : directory;
  await ledger.add({ event: 'failed', directory: counted, names: [...names], blame, problem, message });
}

function idle(reason: string): string {
  return `nothing to do: ${reason}`;
}

/** A person may be impatient with a failure, but not with a CA that said until when it takes nothing. */
function expectNotLimited(failure: FailureSeries | undefined, asked: Issuer, now: Date): void {
  if (failure?.blame !== 'limit' || now >= failure.nextAttempt) return;
  if (failure.directory !== directoryOf(asked.origin)) return;
  throw new IssuanceFailure({
    blame: 'limit',
    message: `The CA takes no request before ${moment(failure.nextAttempt)}: ${failure.message}`,
    remedy: 'The renewer waits for that by itself. What is served does not change.',
    problem: failure.problem,
    retryAfter: failure.nextAttempt,
  });
}

function replaced(current: Current): Order['replaces'] {
  if (current.kind !== 'present') return undefined;
  const { certificate, chain, origin } = current.generation;
  return { fingerprint: certificate.fingerprint, chain, origin };
}

function inTurn<T>({ lockFile, clock }: RenewalParts, work: () => Promise<T>): Promise<T> {
  return withLockInTurn({ path: lockFile, what: 'A renewal', clock, patience: OTHER_RENEWAL_TAKES }, work);
}
