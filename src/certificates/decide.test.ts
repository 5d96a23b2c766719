import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Decision, decide, dueAt } from './decide.ts';
import type { Origin } from './issuer.ts';
import type { Current } from './store.ts';

const DAY = 24 * 3_600_000;
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
    },
  };
}

function at(now: string, current: Current, names = ['r.example'], origin: Origin = letsEncrypt): Decision {
  return decide({ current, wanted: { names, origin }, now: new Date(now) });
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
  ['it expired', at('2027-04-01', ninetyDays), 'expired', '2027-04-01'],
  ['two thirds are over', at('2027-03-02', ninetyDays), 'due', 'due since 2027-03-02'],
])('issue when %s', (_, decision, cause, reason) => {
  expect(decision).toMatchObject({ kind: 'issue', cause, reason: expect.stringContaining(reason) });
});

test('keep what is right and not due, and say until when', () => {
  expect(at('2027-03-01', ninetyDays)).toMatchObject({
    kind: 'keep',
    reason: 'valid until 2027-04-01, renewal due 2027-03-02',
  });
});

test('the order, the case and the form of names do not matter', () => {
  const current = present(letsEncrypt, ['b.example', 'fd00::1', 'a.example'], '2027-01-01', '2027-04-01');
  expect(at('2027-01-02', current, ['A.example', 'FD00:0:0:0:0:0:0:1', 'b.example']).kind).toBe('keep');
});

test('a certificate of six days is due after three', () => {
  expect(dueAt({ notBefore: new Date('2027-01-01'), notAfter: new Date('2027-01-07') })).toEqual(
    new Date('2027-01-04'),
  );
});

test('for any lifetime: due within it, never in its first half, and kept exactly until then', () => {
  const begin = fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true });
  const lifetime = fc.integer({ min: 60_000, max: 400 * DAY });
  const moment = fc.double({ min: 0, max: 0.999, noNaN: true });
  fc.assert(
    fc.property(begin, lifetime, moment, (notBefore, milliseconds, share) => {
      const notAfter = new Date(notBefore.getTime() + milliseconds);
      const due = dueAt({ notBefore, notAfter });
      expect(due.getTime()).toBeGreaterThanOrEqual(notBefore.getTime() + milliseconds / 2 - 1);
      expect(due.getTime()).toBeLessThan(notAfter.getTime());
      const now = new Date(notBefore.getTime() + milliseconds * share);
      const current = present(letsEncrypt, ['r.example'], notBefore.toISOString(), notAfter.toISOString());
      expect(at(now.toISOString(), current).kind).toBe(now < due ? 'keep' : 'issue');
    }),
  );
});
