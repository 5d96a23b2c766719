import fc from 'fast-check';
import { expect, test } from 'vitest';
import { at, isSensible, scheduleOf } from './schedule.ts';

const DAY = 24 * 3_600_000;

function lifetime(notBefore: Date, milliseconds: number, fingerprint = 'AA') {
  return { notBefore, notAfter: new Date(notBefore.getTime() + milliseconds), fingerprint };
}

const begin = fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true });
const length = fc.integer({ min: 60_000, max: 400 * DAY });
const name = fc.string({ minLength: 1 });
const share = fc.double({ min: -0.5, max: 1.5, noNaN: true });

test('a certificate of six days is due after about three, one of ninety after about sixty', () => {
  const days = (milliseconds: number) => {
    const certificate = lifetime(new Date('2027-01-01'), milliseconds);
    return (scheduleOf(certificate, undefined).due.getTime() - certificate.notBefore.getTime()) / DAY;
  };
  expect(Math.abs(days(6 * DAY) - 3)).toBeLessThanOrEqual(0.02 * 6);
  expect(Math.abs(days(90 * DAY) - 60)).toBeLessThanOrEqual(0.02 * 90);
});

test('without advice: within 2 % of the share, never later than 5/6, and the same after a restart', () => {
  fc.assert(
    fc.property(begin, length, name, (notBefore, milliseconds, fingerprint) => {
      const certificate = lifetime(notBefore, milliseconds, fingerprint);
      const { due } = scheduleOf(certificate, undefined);
      const over = (due.getTime() - notBefore.getTime()) / milliseconds;
      const wanted = milliseconds < 10 * DAY ? 1 / 2 : 2 / 3;
      expect(Math.abs(over - wanted)).toBeLessThanOrEqual(0.0201);
      expect(due.getTime()).toBeLessThanOrEqual(at(certificate, 5 / 6).getTime());
      expect(scheduleOf({ ...certificate }, undefined).due).toEqual(due);
    }),
  );
});

test('with a window: within it or at the ceiling before it ends, and the same until the window changes', () => {
  fc.assert(
    fc.property(begin, length, name, share, share, (notBefore, milliseconds, fingerprint, one, other) => {
      const certificate = lifetime(notBefore, milliseconds, fingerprint);
      const window = {
        start: at(certificate, Math.min(one, other)),
        end: at(certificate, Math.max(one, other)),
        explanation: undefined,
      };
      fc.pre(isSensible(window, certificate));
      const { due } = scheduleOf(certificate, window);
      const ceiling = at(certificate, 5 / 6);
      expect(due.getTime()).toBeLessThanOrEqual(ceiling.getTime());
      expect(due.getTime()).toBeLessThanOrEqual(window.end.getTime());
      if (window.start < ceiling) expect(due.getTime()).toBeGreaterThanOrEqual(window.start.getTime());
      expect(scheduleOf(certificate, { ...window }).due).toEqual(due);
    }),
  );
});

test('the draws of many certificates spread over the whole window', () => {
  const window = { start: new Date('2027-03-12'), end: new Date('2027-03-14'), explanation: undefined };
  const drawn = Array.from({ length: 1000 }, (_, index) => {
    const certificate = lifetime(new Date('2027-01-01'), 90 * DAY, `fingerprint ${index}`);
    return (scheduleOf(certificate, window).due.getTime() - window.start.getTime()) / (2 * DAY);
  });
  for (const tenth of Array.from({ length: 10 }, (_, index) => index / 10)) {
    const count = drawn.filter((each) => each >= tenth && each < tenth + 0.1).length;
    expect(count).toBeGreaterThan(50);
    expect(count).toBeLessThan(150);
  }
});

test('a window that ends before it starts, or starts when the certificate has ended, is nonsense', () => {
  const certificate = lifetime(new Date('2027-01-01'), 90 * DAY);
  const window = (start: string, end: string) => ({
    start: new Date(start),
    end: new Date(end),
    explanation: undefined,
  });
  expect(isSensible(window('2027-03-14', '2027-03-12'), certificate)).toBe(false);
  expect(isSensible(window('2027-05-01', '2027-05-02'), certificate)).toBe(false);
  expect(isSensible(window('2026-01-01', '2026-01-02'), certificate)).toBe(true); // a revocation
  expect(isSensible(window('2027-03-12', '2027-03-14'), certificate)).toBe(true);
});

test('a window around the whole lifetime says nothing: the lifetime decides', () => {
  const certificate = lifetime(new Date('2027-01-02T00:00:00Z'), 60_000);
  const { notBefore: start, notAfter: end } = certificate; // what Pebble says of one that lives for a minute
  expect(isSensible({ start, end, explanation: undefined }, certificate)).toBe(false);
});

test('the reason names window, draw and the CA’s page about it', () => {
  const certificate = lifetime(new Date('2027-01-01'), 90 * DAY);
  const window = {
    start: new Date('2027-02-27'),
    end: new Date('2027-03-02'),
    explanation: 'https://ca.example/7',
  };
  expect(scheduleOf(certificate, window).reason).toMatch(
    /^renewal window 27 February – 2 March 2027 \(https:\/\/ca\.example\/7\), drawn \d+ \w+ 2027 \d\d:\d\d/,
  );
  const late = { start: new Date('2027-03-29'), end: new Date('2027-03-30'), explanation: undefined };
  expect(scheduleOf(certificate, late).reason).toMatch(/not later than 17 March 2027/);
});
