import { describe, expect, test } from 'vitest';
import { type Decision, decide } from './decide.ts';
import type { Origin } from './issuer.ts';
import { scheduleOf } from './schedule.ts';
import type { Current } from './store.ts';

const letsEncrypt: Origin = { issuer: 'certbot', directory: 'https://acme.example/dir' };
const staging: Origin = { issuer: 'certbot', directory: 'https://staging.example/dir' };
const local: Origin = { issuer: 'local' };

function present(origin: Origin, names: string[], notBefore: string, notAfter: string): Current {
  const dates = { notBefore: new Date(notBefore), notAfter: new Date(notAfter) };
  return {
    kind: 'present',
    generation: {
      name: 'generation-1',
      origin,
      certificate: { names, ...dates, fingerprint: 'AA', issuerName: 'X' },
      chain: '',
    },
  };
}

function at(now: string, current: Current, names = ['r.example'], origin: Origin = letsEncrypt): Decision {
  const wanted = { names, origins: [origin] as const };
  return decide({ current, wanted, window: undefined, offered: undefined, now: new Date(now) });
}

const ninetyDays = present(letsEncrypt, ['r.example'], '2027-01-01T00:00Z', '2027-04-01T00:00Z');

test.each<[string, Decision, string, string]>([
  ['there is none', at('2027-01-02', { kind: 'missing' }), 'missing', 'no certificate yet'],
  ['it is damaged', at('2027-01-02', { kind: 'damaged', reason: 'half a file' }), 'damaged', 'half a file'],
  [
    'only the placeholder is there',
    at('2027-01-02', present({ issuer: 'placeholder' }, ['r.example'], '2027-01-01', '2027-02-01')),
    'placeholder',
    'placeholder',
  ],
  [
    'the issuer changed',
    at('2027-01-02', ninetyDays, ['r.example'], local),
    'issuer',
    'certbot from acme.example, wanted is local',
  ],
  [
    'the directory changed',
    at('2027-01-02', ninetyDays, ['r.example'], staging),
    'issuer',
    'staging.example',
  ],
  [
    'a name was added',
    at('2027-01-02', ninetyDays, ['r.example', 'www.r.example']),
    'names',
    'does not name www.r.example',
  ],
  [
    'a name went',
    at('2027-01-02', present(letsEncrypt, ['r.example', 'old.example'], '2027-01-01', '2027-04-01')),
    'names',
    'old.example',
  ],
  ['it expired', at('2027-04-01', ninetyDays), 'expired', '1 April 2027'],
  ['two thirds are over', at('2027-03-05', ninetyDays), 'due', 'renewal due'],
])('issue when %s', (_, decision, cause, reason) => {
  expect(decision).toMatchObject({ kind: 'issue', cause, reason: expect.stringContaining(reason) });
});

test('keep what is right and not due, and say until when', () => {
  const due = scheduleOf(certificateOf(ninetyDays), undefined).due;
  expect(at('2027-02-20', ninetyDays)).toMatchObject({
    kind: 'keep',
    due,
    reason: expect.stringMatching(/^valid until 1 April 2027, renewal due [12] March 2027 /),
  });
});

test('the CA’s window is told with the moment drawn in it', () => {
  const window = { start: new Date('2027-03-12'), end: new Date('2027-03-14'), explanation: undefined };
  const wanted = { names: ['r.example'], origins: [letsEncrypt] as const };
  const facts = { current: ninetyDays, wanted, window, offered: undefined };
  expect(decide({ ...facts, now: new Date('2027-03-11') })).toMatchObject({
    kind: 'keep',
    reason: expect.stringMatching(
      /^valid until 1 April 2027, renewal window 12–14 March 2027, drawn 1[23] March 2027 \d\d:\d\d/,
    ),
  });
  expect(decide({ ...facts, now: new Date('2027-03-14') })).toMatchObject({ kind: 'issue', cause: 'due' });
});

test('a certificate of the fallback is as good as one of the first CA', () => {
  const wanted = { names: ['r.example'], origins: [staging, letsEncrypt] as const };
  const now = new Date('2027-01-02');
  expect(decide({ current: ninetyDays, wanted, window: undefined, offered: undefined, now }).kind).toBe(
    'keep',
  );
});

describe('a provided certificate', () => {
  const provided: Origin = { issuer: 'provided' };
  const current = present(provided, ['*.example'], '2027-01-01', '2027-04-01');
  const facts = {
    current,
    wanted: { names: ['r.example'], origins: [provided] as const },
    window: undefined,
  };

  test('is kept while the files hold it, even when it ends: whoever provides it renews it', () => {
    const now = new Date('2027-05-01');
    expect(decide({ ...facts, offered: 'AA', now })).toMatchObject({ kind: 'keep', due: undefined });
  });

  test('is replaced when the files hold another one', () => {
    const now = new Date('2027-01-02');
    expect(decide({ ...facts, offered: 'BB', now })).toMatchObject({ kind: 'issue', cause: 'changed' });
  });

  test('stays when the files can’t be read', () => {
    const now = new Date('2027-01-02');
    expect(decide({ ...facts, offered: undefined, now })).toMatchObject({ kind: 'keep' });
  });

  test('covers by its wildcard one label, and not two', () => {
    const wanted = { names: ['a.b.example'], origins: [provided] as const };
    const now = new Date('2027-01-02');
    expect(decide({ ...facts, wanted, offered: 'AA', now })).toMatchObject({ kind: 'issue', cause: 'names' });
  });
});

test('the order, the case and the form of names do not matter', () => {
  const current = present(letsEncrypt, ['b.example', 'fd00::1', 'a.example'], '2027-01-01', '2027-04-01');
  expect(at('2027-01-02', current, ['A.example', 'FD00:0:0:0:0:0:0:1', 'b.example']).kind).toBe('keep');
});

function certificateOf(current: Current) {
  if (current.kind !== 'present') throw new Error('not present');
  return current.generation.certificate;
}
