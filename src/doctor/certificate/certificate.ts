import { describeSeries, type FailureSeries } from '../../certificates/attempts.ts';
import type { Decision } from '../../certificates/decide.ts';
import { assess } from '../../certificates/renewal.ts';
import { span } from '../../certificates/words.ts';
import { expectOwnState } from '../../stack/folders.ts';
import type { Check } from '../check.ts';
import type { Context } from '../context.ts';
import { broken, type Finding, fine, warning } from '../finding.ts';

export interface CertificateFacts {
  readonly decision: Decision;
  readonly lifetime: { readonly notBefore: Date; readonly notAfter: Date } | undefined;
  readonly due: Date | undefined;
  readonly failure: FailureSeries | undefined;
  readonly now: Date;
}

/** The renewer looks every ten minutes; a CA may have its bad day. */
const OVERDUE = 24 * 3_600_000;
/** Of the lifetime: what is left after renewals have failed for long. */
const LITTLE_LEFT = 1 / 6;

export const certificateCheck: Check<Context> = {
  name: 'certificate',
  group: 'Certificate',
  within: 60_000, // a renewal under way is waited for, and the CA may be asked for its advice
  run: async ({ renewal, paths, clock }) => {
    await expectOwnState(paths);
    const { decision, current, renewalDue: due, failure } = await assess(renewal);
    const lifetime = current.kind === 'present' ? current.generation.certificate : undefined;
    return judgeCertificate({ decision, lifetime, due, failure, now: clock.now() });
  },
};

/** Time to expiry against the plan of the renewals. */
export function judgeCertificate({ decision, lifetime, due, failure, now }: CertificateFacts): Finding {
  if (decision.kind === 'none') return fine(decision.reason);
  const left = lifetime === undefined ? 0 : lifetime.notAfter.getTime() - now.getTime();
  const whole = lifetime === undefined ? 1 : lifetime.notAfter.getTime() - lifetime.notBefore.getTime();
  if (failure !== undefined && decision.kind === 'issue') {
    const told = `${left > 0 ? `${span(left)} left; ` : ''}${describeSeries(failure)}`;
    const say = 'Fix what the CA reports, then: npm run renew';
    return left < whole * LITTLE_LEFT ? broken(told, say) : warning(told, say);
  }
  if (decision.kind === 'keep') {
    if (due !== undefined && left > 0) return fine(decision.reason);
    // Somebody else renews it, as with TLS_CERT_FILE.
    const say = 'Whoever renews it has to: it is followed within ten minutes.';
    if (left <= 0) return broken(decision.reason, say);
    return left < whole * LITTLE_LEFT
      ? warning(`${decision.reason}; ${span(left)} left`, say)
      : fine(decision.reason);
  }
  switch (decision.cause) {
    case 'placeholder':
    case 'missing':
      return broken(decision.reason, 'npm run init-tls');
    case 'due':
    case 'changed':
      if (due === undefined || now.getTime() - due.getTime() < OVERDUE) return fine(decision.reason);
      return warning(
        `${decision.reason}; nobody has renewed it for ${span(now.getTime() - due.getTime())}`,
        'npm run renew',
      );
    case 'issuer':
    case 'names':
    case 'expired':
    case 'damaged':
      return broken(decision.reason, 'npm run renew');
  }
}
