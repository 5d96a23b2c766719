import { expect, test } from 'vitest';
import type { FailureSeries } from './attempts.ts';
import { type RenewalFacts, renewalMetrics } from './metrics.ts';

const at = (text: string) => new Date(`2026-${text}T00:00:00Z`);
const unix = (text: string) => at(text).getTime() / 1000;

const FACTS: RenewalFacts = {
  certificate: {
    names: ['r.example.com'],
    notBefore: at('01-01'),
    notAfter: at('04-01'),
    fingerprint: 'AB:CD',
    issuerName: 'R "11"',
    renewalDue: at('03-01'),
  },
  failure: undefined,
  plain: false,
  issuer: 'acme',
  ledger: [
    { at: at('01-01'), event: 'order', names: ['r.example.com'] },
    { at: at('01-02'), event: 'issued', names: ['r.example.com'] },
    { at: at('01-03'), event: 'served', names: ['r.example.com'] },
    { at: at('02-01'), event: 'failed', names: ['r.example.com'] },
  ],
  begun: [],
};
const FAILURE: FailureSeries = {
  subject: 's',
  count: 3,
  refusals: 0,
  since: at('02-01'),
  nextAttempt: at('02-02'),
  pauseUntil: at('02-02'),
  directory: undefined,
  elsewhere: undefined,
  message: 'no',
  blame: 'ca',
  problem: undefined,
  rehearsal: false,
};

async function lines(change: Partial<RenewalFacts> = {}): Promise<readonly string[]> {
  return (await renewalMetrics({ ...FACTS, ...change })).split('\n').filter((line) => !line.startsWith('#'));
}

test('what is known about the certificate and its renewal', async () => {
  expect(await lines()).toEqual(
    expect.arrayContaining([
      'moorage_certificate_info{issuer="acme",issuer_name="R \\"11\\""} 1',
      `moorage_certificate_not_before_timestamp_seconds ${unix('01-01')}`,
      `moorage_certificate_not_after_timestamp_seconds ${unix('04-01')}`,
      `moorage_renewal_next_timestamp_seconds ${unix('03-01')}`,
      'moorage_renewal_consecutive_failures 0',
      `moorage_renewal_last_attempt_timestamp_seconds ${unix('02-01')}`,
      `moorage_renewal_last_success_timestamp_seconds ${unix('01-03')}`,
      'moorage_renewal_ledger_entries{event="failed"} 1',
      'moorage_renewal_ledger_entries{event="served"} 1',
    ]),
  );
});

test('after failures the next attempt is what comes next', async () => {
  expect(await lines({ failure: FAILURE })).toEqual(
    expect.arrayContaining([
      'moorage_renewal_consecutive_failures 3',
      `moorage_renewal_next_timestamp_seconds ${unix('02-02')}`,
    ]),
  );
});

test('what there is nothing to say about is left out, rather than 1970', async () => {
  const without = (await lines({ certificate: undefined, ledger: [] })).join('\n');
  expect(without).not.toMatch(/_timestamp_seconds/);
  expect((await lines({ certificate: undefined, plain: true })).join('\n')).not.toMatch(/certificate/);
});

test('a command that has not ended is told of', async () => {
  expect(await lines({ begun: [{ command: 'gc', at: at('02-03') }] })).toContain(
    `moorage_command_unfinished_timestamp_seconds{command="gc"} ${unix('02-03')}`,
  );
});
