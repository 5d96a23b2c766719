import { Gauge, Registry } from 'prom-client';
import type { Standing } from './keeper.ts';
import type { Entry } from './ledger.ts';

/** What the daemon knows after a look. */
export interface RenewalFacts extends Standing {
  /** TLS_ISSUER, as it was decided. */
  readonly issuer: string;
  /** The oldest first. */
  readonly ledger: readonly Entry[];
  /** Commands of several steps that have begun and not ended, and when they last got somewhere. */
  readonly begun: readonly { readonly command: string; readonly at: Date }[];
}

const EVENTS = ['order', 'issued', 'failed', 'served'] as const satisfies readonly Entry['event'][];

/** In Prometheus’ text format. What there is nothing to say about is left out. */
export function renewalMetrics({
  certificate,
  failure,
  plain,
  issuer,
  ledger,
  begun,
}: RenewalFacts): Promise<string> {
  const registers = [new Registry()];
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge({ name, help, labelNames, registers });
  const time = (name: string, help: string, at: Date | undefined) => {
    const told = gauge(name, help);
    if (at === undefined) told.remove();
    else told.set(seconds(at));
  };

  const info = gauge('moorage_certificate_info', 'How the certificate is got, and who signed it.', [
    'issuer',
    'issuer_name',
  ]);
  if (!plain) info.set({ issuer, issuer_name: certificate?.issuerName ?? '' }, 1);
  time(
    'moorage_certificate_not_before_timestamp_seconds',
    'When the certificate in the store begins to be valid.',
    certificate?.notBefore,
  );
  time(
    'moorage_certificate_not_after_timestamp_seconds',
    'When the certificate in the store expires.',
    certificate?.notAfter,
  );
  time(
    'moorage_renewal_next_timestamp_seconds',
    'When the certificate is to be renewed; after a failure, when that is tried again.',
    plain ? undefined : (failure?.nextAttempt ?? certificate?.renewalDue),
  );
  gauge(
    'moorage_renewal_consecutive_failures',
    'How many attempts to renew have failed since the last one that went well.',
  ).set(failure?.count ?? 0);
  time(
    'moorage_renewal_last_attempt_timestamp_seconds',
    'When something was last done to get a certificate.',
    ledger.at(-1)?.at,
  );
  time(
    'moorage_renewal_last_success_timestamp_seconds',
    'When a new certificate was last served.',
    ledger.findLast(({ event }) => event === 'served')?.at,
  );
  const events = gauge(
    'moorage_renewal_ledger_entries',
    'What var/ledger.jsonl has about getting certificates; it forgets what is old.',
    ['event'],
  );
  for (const event of EVENTS) events.set({ event }, ledger.filter((entry) => entry.event === event).length);
  const commands = gauge(
    'moorage_command_unfinished_timestamp_seconds',
    'When a command that has not ended last got somewhere: it is at work, or was interrupted.',
    ['command'],
  );
  for (const { command, at } of begun) commands.set({ command }, seconds(at));
  return registers[0]?.metrics() ?? Promise.resolve('');
}

function seconds(at: Date): number {
  return at.getTime() / 1000;
}
