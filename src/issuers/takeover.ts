import { readCertificate } from '../certificates/certificate.ts';
import { scheduleOf } from '../certificates/schedule.ts';
import { faults, type Pair } from '../certificates/verify.ts';

/** Whether a certificate that a killed run got can be served, and for a while: it is fit and not yet due by its lifetime. */
export function isFresh(pair: Pair, names: readonly string[], now: Date): boolean {
  return (
    faults(pair, names, now).length === 0 && now < scheduleOf(readCertificate(pair.chain), undefined).due
  );
}
