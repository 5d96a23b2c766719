import { changed, type Done, type Report } from '../step.ts';
import { firstAdvice } from './advice.ts';
import { afterFailure, type FailureSeries, needsRehearsal, trustsRehearsal } from './attempts.ts';
import type { Cause } from './decide.ts';
import { deploy, expectSoundConfig } from './deploy.ts';
import { directoryOf, type Issuer, type Order } from './issuer.ts';
import type { Look, RenewalParts } from './outlook.ts';
import type { RenewalState } from './state.ts';
import type { Current, Generation } from './store.ts';
import { day } from './words.ts';

/** With these a name or a CA is new: mistakes are likely, and the CA's staging server is the place for them. */
const WORTH_A_REHEARSAL: readonly Cause[] = ['placeholder', 'missing', 'issuer', 'names'];

/** Has a certificate issued and brings it to the clients. Whatever fails is written down. */
export async function issueAndDeploy(
  parts: RenewalParts,
  { outlook: { current, decision }, asked: issuer, state, subject, series }: Look,
  report: Report,
): Promise<Done<Generation>> {
  const { names, store, clock, ledger, webServer } = parts;
  const certificate = current.kind === 'present' ? current.generation.certificate : undefined;
  const isNew = decision.kind === 'issue' && WORTH_A_REHEARSAL.includes(decision.cause);
  const order: Order = {
    names,
    replaces: replaced(current),
    rehearse: (isNew && trustsRehearsal(series)) || needsRehearsal(series),
  };
  try {
    await store.expectWritable();
    await expectSoundConfig(webServer, 'before a certificate is asked for');
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
    await store.prune().catch(() => undefined); // each try may have left a generation
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

/** Writes a failure into the state and the ledger. */
export async function remember(parts: RenewalParts, error: unknown, attempt: Attempt): Promise<void> {
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

function replaced(current: Current): Order['replaces'] {
  if (current.kind !== 'present') return undefined;
  const { certificate, chain, origin } = current.generation;
  return { fingerprint: certificate.fingerprint, chain, origin };
}
