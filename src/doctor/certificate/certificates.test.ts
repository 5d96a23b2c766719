import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { FailureSeries } from '../../certificates/attempts.ts';
import { keyToPem, makeAuthority, makeLeaf, newKeyPair, readAuthority } from '../../certificates/x509.ts';
import type { Finding } from '../finding.ts';
import { type CertificateFacts, judgeCertificate } from './certificate.ts';
import { judgeRenewer } from './renewer.ts';
import { judgeServed, type ServedFacts } from './served.ts';
import { judgeTrust } from './trust.ts';

const DAY = 86_400_000;
const NOW = new Date('2026-11-21T12:00:00Z');
const days = (count: number) => new Date(NOW.getTime() + count * DAY);
const LIFETIME = { notBefore: days(-60), notAfter: days(30) };
const SERIES: FailureSeries = {
  subject: 's',
  count: 3,
  refusals: 3,
  since: days(-1),
  nextAttempt: days(1),
  pauseUntil: days(1),
  directory: undefined,
  elsewhere: undefined,
  message: 'no',
  blame: 'here',
  problem: undefined,
  rehearsal: false,
};
const KEEP = { kind: 'keep', due: days(3), reason: 'valid' } as const;
const issue = (cause: 'due' | 'expired' | 'placeholder') =>
  ({ kind: 'issue', cause, reason: cause }) as const;
const certificate = (facts: Partial<CertificateFacts>) =>
  judgeCertificate({
    decision: KEEP,
    lifetime: LIFETIME,
    due: days(3),
    failure: undefined,
    now: NOW,
    ...facts,
  });
const renewer = (status: string, tick: number | undefined, startedAt = days(-1)) =>
  judgeRenewer({ kind: 'container', condition: { status, startedAt }, tick }, NOW);

test.each<[string, Finding, Finding['verdict'], RegExp?]>([
  ['one that is not due', certificate({}), 'fine'],
  ['none is wanted', certificate({ decision: { kind: 'none', reason: 'none' } }), 'fine'],
  ['due since today', certificate({ decision: issue('due'), due: days(-0.5) }), 'fine'],
  [
    'due since long',
    certificate({ decision: issue('due'), due: days(-3) }),
    'warning',
    /nobody has renewed it for 3 days/,
  ],
  ['expired', certificate({ decision: issue('expired') }), 'broken'],
  ['the placeholder', certificate({ decision: issue('placeholder') }), 'broken'],
  [
    'failures with time left',
    certificate({ decision: issue('due'), failure: SERIES }),
    'warning',
    /30 days left; 3 failures/,
  ],
  [
    'failures near the end',
    certificate({
      decision: issue('due'),
      failure: SERIES,
      lifetime: { notBefore: days(-85), notAfter: days(5) },
    }),
    'broken',
  ],
  [
    'one that somebody else lets expire',
    certificate({
      due: undefined,
      decision: { ...KEEP, due: undefined },
      lifetime: { notBefore: days(-90), notAfter: days(-1) },
    }),
    'broken',
  ],
  ['a renewer at work', renewer('running', 5 * 60_000), 'fine'],
  ['one that has stopped looking', renewer('running', 3 * 3_600_000), 'broken', /for 3 hours/],
  ['one that never began', renewer('running', undefined), 'broken', /for 24 hours/],
  ['one that has just begun', renewer('running', undefined, NOW), 'warning'],
  ['one that has ended', renewer('exited', undefined), 'broken'],
  ['none', judgeRenewer({ kind: 'missing' }, NOW), 'broken'],
  ['a unit', judgeRenewer({ kind: 'unit', name: 'm.service', state: 'active' }, NOW), 'fine'],
  [
    'a unit that failed',
    judgeRenewer({ kind: 'unit', name: 'm.service', state: 'failed' }, NOW),
    'broken',
    /m\.service is failed/,
  ],
])('%s', (_, finding, verdict, detail = /./) => {
  expect(finding.verdict).toBe(verdict);
  if (verdict !== 'fine') expect(finding.detail).toMatch(detail);
});

describe('what is served', () => {
  let ca: string;
  let leaf: X509Certificate;
  let authority: X509Certificate;
  let facts: ServedFacts;

  beforeAll(async () => {
    const keys = await newKeyPair();
    ca = await makeAuthority('a CA', keys, days(-10), 100);
    const signed = await makeLeaf(
      ['a.example'],
      days(-1),
      90,
      await readAuthority(ca, await keyToPem(keys.privateKey)),
    );
    leaf = new X509Certificate(signed.certificate);
    authority = new X509Certificate(ca);
    const served = { kind: 'shown', chain: [leaf, authority], distrust: undefined } as const;
    facts = {
      name: 'a.example',
      address: '::1',
      served,
      onDisk: leaf.fingerprint256,
      trusted: true,
      now: NOW,
    };
  });

  const judged = (changes: Partial<ServedFacts> = {}) => judgeServed({ ...facts, ...changes });
  const shown = (chain: ServedFacts['served']) => judged({ served: chain });

  test('ours is fine, with the time that is left', () => {
    expect(judged()).toEqual({ verdict: 'fine', detail: '2 certificates in order, 89 days left' });
  });

  test.each<[string, () => Finding, RegExp]>([
    ['silence', () => shown({ kind: 'failed', reason: 'reset' }), /no handshake: reset/],
    ['another name', () => judged({ name: 'b.example' }), /does not name b\.example/],
    ['an end', () => judged({ now: days(200) }), /expired on/],
    ['a beginning', () => judged({ now: days(-5) }), /valid only from/],
    [
      'a wrong order',
      () => shown({ kind: 'shown', chain: [leaf, leaf, authority], distrust: undefined }),
      /certificate 1 of the chain is not signed by the next one/,
    ],
    ['another certificate', () => judged({ onDisk: 'AA' }), /another certificate than the one on the disk/],
    [
      'a chain that is not whole',
      () => shown({ kind: 'shown', chain: [leaf], distrust: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }),
      /the intermediate certificate is missing/,
    ],
  ])('%s is told', (_, finding, detail) => {
    expect(finding()).toMatchObject({ verdict: 'broken', detail: expect.stringMatching(detail) });
  });

  test('a rehearsal’s CA need not be known; that of a proxy is the proxy’s', () => {
    const served = {
      kind: 'shown',
      chain: [leaf, authority],
      distrust: 'SELF_SIGNED_CERT_IN_CHAIN',
    } as const;
    expect(judged({ served, trusted: false }).verdict).toBe('fine');
    expect(judged({ served, onDisk: undefined })).toMatchObject({
      verdict: 'warning',
      fix: { say: expect.stringMatching(/^It is shown by the proxy in front/) },
    });
  });

  test('whether Docker here trusts the local CA', () => {
    const trust = (docker: string | undefined, system = '', loopback = false) =>
      judgeTrust({ authority: 'r.lan:8443', loopback, ca, docker, system });
    const command = 'npm run trust';
    expect(trust(ca).verdict).toBe('fine');
    expect(trust(undefined, `${leaf.toString()}${ca}`).verdict).toBe('fine');
    expect(trust(undefined, '', true).verdict).toBe('fine');
    expect(trust(undefined)).toMatchObject({
      verdict: 'warning',
      fix: { say: `${command} (docs/trust.md)` },
    });
    expect(trust(leaf.toString())).toMatchObject({ verdict: 'warning', fix: { say: command } });
    const lost = judgeTrust({
      authority: 'r.lan',
      loopback: true,
      ca: 'ENOENT',
      docker: undefined,
      system: '',
    });
    expect(lost.verdict).toBe('broken');
  });
});
