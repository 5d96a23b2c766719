import { changed, type Done, type Report, unchanged } from '../step.ts';
import { withLockInTurn } from '../system/lock.ts';
import { describeSeries, type FailureSeries } from './attempts.ts';
import { expectSoundConfig, serveCurrent } from './deploy.ts';
import { issueAndDeploy, remember } from './issuance.ts';
import { directoryOf, IssuanceFailure, type Issuer } from './issuer.ts';
import { type Look, look, type Outlook, type RenewalParts } from './outlook.ts';
import type { Generation } from './store.ts';
import { moment } from './words.ts';

/** A CA may take its time; the daemon and a person's command take turns. */
const OTHER_RENEWAL_TAKES = 5 * 60_000;

/** What would be done now, and why. Asks the CA for its advice if it is time to, and changes nothing else. */
export function assess(parts: RenewalParts, report: Report = () => undefined): Promise<Outlook> {
  return inTurn(parts, report, async () => (await look(parts)).outlook);
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
  return inTurn(parts, report, async () => {
    const seen = await look(parts);
    const { decision, current, failure } = seen.outlook;
    if (current.kind === 'present') {
      if (decision.kind === 'none') return unchanged(decision.reason, current.generation);
      if (decision.kind === 'keep' && !force)
        return keep(parts, seen, current.generation, idle(decision.reason), report);
    }
    report(decision.kind === 'keep' ? `asked for, though ${decision.reason}` : decision.reason);
    expectNotLimited(failure, seen.asked, parts.clock.now());
    return issueAndDeploy(parts, seen, report);
  });
}

/** The same for the daemon: what failed lately waits for its turn. `undefined` while it waits with nothing to serve. */
export function tend(parts: RenewalParts, report: Report): Promise<Done<Generation | undefined>> {
  return inTurn(parts, report, async () => {
    const seen = await look(parts);
    const { decision, current, failure } = seen.outlook;
    if (decision.kind === 'none') return unchanged(idle(decision.reason), undefined);
    const waits = failure !== undefined && parts.clock.now() < failure.nextAttempt;
    if (decision.kind === 'issue' && !waits) {
      report(decision.reason);
      return issueAndDeploy(parts, seen, report);
    }
    const told =
      decision.kind === 'issue' && failure ? `waiting: ${describeSeries(failure)}` : idle(decision.reason);
    if (current.kind !== 'present') return unchanged(told, undefined);
    if (decision.kind === 'issue') return serve(parts, current.generation, told, report);
    return keep(parts, seen, current.generation, told, report);
  });
}

/**
 * Goes the whole way without touching what is served: nginx's configuration, then the issuer's rehearsal.
 * @returns in words how far that was
 */
export function rehearse(parts: RenewalParts, report: Report): Promise<string> {
  return inTurn(parts, report, async () => {
    await expectSoundConfig(parts.webServer, 'now');
    return parts.issuer.rehearse({ names: parts.names, replaces: undefined }, report);
  });
}

/** Serves what is to be kept. What failed before is over when that works, and a failure of its own when it does not. */
async function keep(
  parts: RenewalParts,
  seen: Look,
  generation: Generation,
  told: string,
  report: Report,
): Promise<Done<Generation>> {
  const { state, outlook } = seen;
  const { failure } = outlook;
  try {
    await parts.store.completeAuthority(generation);
    const done = await serve(parts, generation, told, report);
    // A limit holds, also for whoever asks though nothing is due.
    const limited = failure?.blame === 'limit' && parts.clock.now() < failure.nextAttempt;
    if (state.failure !== undefined && !limited) await parts.state.write({ ...state, failure: undefined });
    return done;
  } catch (error) {
    await remember(parts, error, { ...seen, issuer: parts.issuer, certificate: generation.certificate });
    throw error;
  }
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

function idle(reason: string): string {
  return `${reason}; nothing to do`;
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

function inTurn<T>({ lockFile, clock }: RenewalParts, report: Report, work: () => Promise<T>): Promise<T> {
  const turn = { path: lockFile, what: 'A renewal', clock, patience: OTHER_RENEWAL_TAKES };
  return withLockInTurn({ ...turn, onWait: report }, work);
}
