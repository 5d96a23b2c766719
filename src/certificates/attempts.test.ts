import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Failure } from '../errors.ts';
import { afterFailure, type FailureSeries, needsFallback, needsRehearsal } from './attempts.ts';
import { type Blame, IssuanceFailure } from './issuer.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MIDDLE = 0.5;
const now = new Date('2027-01-01T00:00:00Z');
const subject = 'acme from ca.example r.example';

/** A certificate of 90 days of which so much is left. */
function left(milliseconds: number) {
  const notAfter = new Date(now.getTime() + milliseconds);
  return { notBefore: new Date(notAfter.getTime() - 90 * DAY), notAfter };
}

function refusal(blame: Blame, extra: { retryAfter?: Date; rehearsal?: boolean } = {}): IssuanceFailure {
  return new IssuanceFailure({ blame, message: 'no', remedy: 'wait', ...extra });
}

/** The pauses in minutes after so many failures in a row. */
function pauses(count: number, error: Error, certificate = left(30 * DAY)): number[] {
  const minutes: number[] = [];
  let series: FailureSeries | undefined;
  for (let failures = 0; failures < count; failures += 1) {
    series = afterFailure(series, { subject, error }, certificate, now, MIDDLE);
    minutes.push(Math.round((series.nextAttempt.getTime() - now.getTime()) / MINUTE));
  }
  return minutes;
}

test('after failures in a row the pause grows: 1 min, 10 min, 100 min, a day, a day', () => {
  expect(pauses(5, refusal('ca'))).toEqual([1, 10, 100, 1440, 1440]);
});

test('in the last sixth of the lifetime no pause is longer than six hours, in the last 5 % or 48 h than one', () => {
  expect(pauses(5, refusal('ca'), left(14 * DAY))).toEqual([1, 10, 100, 360, 360]);
  expect(pauses(5, refusal('ca'), left(4 * DAY))).toEqual([1, 10, 60, 60, 60]);
  expect(pauses(5, refusal('ca'), left(47 * HOUR))).toEqual([1, 10, 60, 60, 60]);
});

test('without a certificate it is tried every hour at least', () => {
  expect(pauses(5, refusal('ca'), left(-DAY))).toEqual([1, 10, 60, 60, 60]);
});

test('what is wrong on this machine costs the CA nothing: it is looked at every ten minutes', () => {
  expect(pauses(4, new Failure('config-broken', 'no', 'mend it'))).toEqual([1, 10, 10, 10]);
});

test('a certificate that is not fit is the CA’s failure: ordering it again would count', () => {
  const unfit = new Failure('certificate-unfit', 'no', 'tell them');
  expect(pauses(4, unfit)).toEqual([1, 10, 100, 1440]);
});

test('a CA’s Retry-After is kept when it is later than the pause', () => {
  const later = new Date(now.getTime() + 36 * HOUR);
  const limited = refusal('limit', { retryAfter: later });
  expect(afterFailure(undefined, { subject, error: limited }, left(DAY), now, MIDDLE).nextAttempt).toEqual(
    later,
  );
  const soon = refusal('limit', { retryAfter: new Date(now.getTime() + 1000) });
  const { nextAttempt } = afterFailure(undefined, { subject, error: soon }, left(30 * DAY), now, MIDDLE);
  expect(nextAttempt.getTime() - now.getTime()).toBe(MINUTE);
});

test('what was wrong on this machine does not make the CA’s first refusal its fourth', () => {
  let series: FailureSeries | undefined;
  for (const error of [new Failure('config-broken', 'no', 'mend it'), refusal('ca')])
    for (let each = 0; each < (error instanceof IssuanceFailure ? 1 : 5); each += 1)
      series = afterFailure(series, { subject, error }, left(30 * DAY), now, MIDDLE);
  expect(series).toMatchObject({ count: 6, refusals: 1, nextAttempt: new Date(now.getTime() + MINUTE) });
  expect(needsFallback(series, left(30 * DAY), now)).toBe(false);
});

test('a series remembers when it began', () => {
  const first = afterFailure(undefined, { subject, error: refusal('ca') }, undefined, now, MIDDLE);
  const later = new Date(now.getTime() + HOUR);
  const second = afterFailure(first, { subject, error: refusal('ca') }, undefined, later, MIDDLE);
  expect(second).toMatchObject({ count: 2, since: now });
});

test('the fallback is asked after three failures of the CA, or at once in the last sixth', () => {
  const series = (count: number, blame: FailureSeries['blame']): FailureSeries => ({
    ...afterFailure(undefined, { subject, error: refusal('ca') }, undefined, now, MIDDLE),
    count,
    refusals: count,
    blame,
  });
  expect(needsFallback(series(2, 'ca'), left(30 * DAY), now)).toBe(false);
  expect(needsFallback(series(3, 'network'), left(30 * DAY), now)).toBe(true);
  expect(needsFallback(series(1, 'limit'), left(10 * DAY), now)).toBe(true);
  expect(needsFallback(series(9, 'validation'), left(DAY), now)).toBe(false);
  expect(needsFallback(series(9, 'here'), left(DAY), now)).toBe(false);
  expect(needsFallback(undefined, left(DAY), now)).toBe(false);
});

test('after a failed validation the next try is a rehearsal, and after a failed rehearsal it is not', () => {
  const after = (error: Error) => afterFailure(undefined, { subject, error }, undefined, now, MIDDLE);
  expect(needsRehearsal(after(refusal('validation')))).toBe(true);
  expect(needsRehearsal(after(refusal('validation', { rehearsal: true })))).toBe(false);
  expect(needsRehearsal(after(refusal('ca')))).toBe(false);
});

test('for any lifetime and any chance: the pause is positive, and several tries fit before the end', () => {
  const lifetime = fc.integer({ min: MINUTE, max: 400 * DAY });
  const share = fc.double({ min: 0.5, max: 0.99, noNaN: true });
  const random = fc.double({ min: 0, max: 0.999, noNaN: true });
  fc.assert(
    fc.property(lifetime, share, random, fc.nat(20), (milliseconds, over, chance, count) => {
      const notBefore = new Date(now.getTime() - milliseconds * over);
      const certificate = { notBefore, notAfter: new Date(notBefore.getTime() + milliseconds) };
      const before = {
        ...afterFailure(undefined, { subject, error: refusal('ca') }, certificate, now, chance),
        count,
      };
      const { nextAttempt } = afterFailure(
        before,
        { subject, error: refusal('ca') },
        certificate,
        now,
        chance,
      );
      const pause = nextAttempt.getTime() - now.getTime();
      expect(pause).toBeGreaterThan(0);
      expect(pause).toBeLessThanOrEqual(Math.min((milliseconds / 12) * 1.1, 1.1 * DAY));
    }),
  );
});
