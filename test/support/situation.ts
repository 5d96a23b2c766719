import type { CertificateFacts, FailureSeries, Situation } from '../../src/alerts/alert.ts';
import { at } from '../../src/certificates/schedule.ts';

const DAY = 24 * 3_600_000;

/** A certificate of this lifetime, with its renewal planned as the daemon plans it. */
export function certificateOf(notBefore: Date, milliseconds: number, fingerprint = 'AA'): CertificateFacts {
  const dates = { notBefore, notAfter: new Date(notBefore.getTime() + milliseconds) };
  return { fingerprint, ...dates, renewalDue: at(dates, milliseconds < 10 * DAY ? 1 / 2 : 2 / 3) };
}

export function failureSince(since: Date, message = 'the CA said no', count = 1): FailureSeries {
  return { count, message, since, nextAttempt: new Date(since.getTime() + 60_000) };
}

export function situation(certificate?: CertificateFacts, failure?: FailureSeries): Situation {
  return { domain: 'r.example', certificate, failure };
}
