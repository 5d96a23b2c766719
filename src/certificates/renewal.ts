import { messageOf } from '../errors.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import { withLockInTurn } from '../system/lock.ts';
import type { AttemptGate } from './attempts.ts';
import { type Decision, decide } from './decide.ts';
import { type Deployment, deploy, serveCurrent } from './deploy.ts';
import type { Issuer } from './issuer.ts';
import type { Generation } from './store.ts';

export interface RenewalParts extends Deployment {
  readonly issuer: Issuer;
  readonly gate: AttemptGate;
  readonly lockFile: string;
}

/** A CA may take its time; the daemon and a person's command take turns. */
const OTHER_RENEWAL_TAKES = 5 * 60_000;

/** What would be done now, and why. Changes nothing. */
export async function assess({ store, names, issuer, clock }: RenewalParts): Promise<Decision> {
  const current = await store.current();
  return decide({ current, wanted: { names, origin: issuer.origin }, now: clock.now() });
}

/**
 * Makes sure that nginx serves a certificate for these names, by this issuer, that is not due: locks, looks again, and
 * only then acts. A certificate that is on the disk but not served is loaded, never issued again.
 * @throws Failure `locked`, and those of the issuer and of `deploy`
 */
export async function ensureCertificate(
  parts: RenewalParts,
  { force }: { force: boolean },
  report: Report,
): Promise<Done<Generation>> {
  const turn = { path: parts.lockFile, what: 'A renewal', clock: parts.clock, patience: OTHER_RENEWAL_TAKES };
  return withLockInTurn(turn, async () => {
    const decision = await assess(parts);
    const current = await parts.store.current();
    if (decision.kind === 'keep' && !force && current.kind === 'present') {
      const loaded = await serveCurrent(parts, current.generation, report);
      return loaded
        ? changed('loaded by nginx', current.generation)
        : unchanged(decision.reason, current.generation);
    }
    report(decision.kind === 'keep' ? `asked for, though ${decision.reason}` : decision.reason);
    const replaces = current.kind === 'present' ? current.generation.certificate.fingerprint : undefined;
    const generation = await issueAndDeploy(parts, replaces, report);
    const { issuerName, notAfter } = generation.certificate;
    return changed(`by ${issuerName}, until ${notAfter.toISOString().slice(0, 10)}`, generation);
  });
}

async function issueAndDeploy(
  parts: RenewalParts,
  replaces: string | undefined,
  report: Report,
): Promise<Generation> {
  const { issuer, names, store, clock, gate } = parts;
  try {
    const issued = await issuer.issue({ names, replaces }, report);
    const generation = await deploy(parts, issued, report);
    await gate.succeeded(clock.now());
    await store.prune();
    return generation;
  } catch (error) {
    await gate.failed(clock.now(), messageOf(error));
    throw error;
  }
}
