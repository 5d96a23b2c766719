import { expect, test } from 'vitest';
import type { Entry } from './ledger.ts';
import { describeUse, exceeded, knownLimits, usage } from './limits.ts';

const HOUR = 3_600_000;
const now = new Date('2027-01-08T00:00:00Z');
const directory = 'https://acme-v02.api.letsencrypt.org/directory';
const names = ['b.example', 'a.example'];

function entry(hoursAgo: number, event: Entry['event'], more: Partial<Entry> = {}): Entry {
  const at = new Date(now.getTime() - hoursAgo * HOUR);
  return { at, event, directory, names: ['a.example', 'b.example'], ...more };
}

function use(entries: readonly Entry[]) {
  const limits = knownLimits(directory);
  if (limits === undefined) throw new Error('the limits of Let’s Encrypt are known');
  return usage(entries, limits, directory, names, now);
}

test('five certificates for the same names within a week: there will be no sixth, until the first is a week old', () => {
  const five = [160, 100, 50, 20, 1].map((hours) => entry(hours, 'issued'));
  const over = exceeded(use(five), false);
  expect(over).toMatchObject({ used: 5, freeAt: new Date(now.getTime() + 8 * HOUR) });
  expect(over && describeUse(over)).toBe(
    '5 of 5 certificates for exactly these names in 7 days; again from 8 January 2027 08:00 UTC',
  );
  expect(exceeded(use(five.slice(1)), false)).toBeUndefined();
});

test('with more than the limit there is room again when enough of them are old', () => {
  const seven = [160, 150, 140, 130, 120, 110, 100].map((hours) => entry(hours, 'issued'));
  expect(exceeded(use(seven), false)?.freeAt).toEqual(new Date(now.getTime() + (168 - 140) * HOUR));
});

test('other names, another CA and what is older than a week do not count', () => {
  const others = [
    ...Array.from({ length: 5 }, () => entry(1, 'issued', { names: ['c.example'] })),
    ...Array.from({ length: 5 }, () => entry(1, 'issued', { directory: 'https://other.example/dir' })),
    ...Array.from({ length: 5 }, () => entry(169, 'issued')),
  ];
  expect(exceeded(use(others), false)).toBeUndefined();
});

test('renewals that the CA suggested do not count, and are not held back', () => {
  const suggested = Array.from({ length: 9 }, () => entry(1, 'issued', { replaces: true }));
  expect(exceeded(use(suggested), false)).toBeUndefined();
  const five = Array.from({ length: 5 }, () => entry(1, 'issued'));
  expect(exceeded(use(five), true)).toBeUndefined();
});

test('five failed validations of a name within an hour hold back even a suggested renewal', () => {
  const failed = Array.from({ length: 5 }, () => entry(0.5, 'failed', { blame: 'validation' }));
  expect(exceeded(use(failed), true)?.what).toBe('failed validations of a name');
  const networks = Array.from({ length: 5 }, () => entry(0.5, 'failed', { blame: 'network' }));
  expect(exceeded(use(networks), true)).toBeUndefined();
});

test('300 orders in three hours are too many', () => {
  const orders = Array.from({ length: 300 }, () => entry(2, 'order'));
  expect(exceeded(use(orders), false)?.what).toBe('orders');
});

test('of a staging server and of a CA of one’s own no limits are known', () => {
  expect(knownLimits('https://acme-staging-v02.api.letsencrypt.org/directory')).toBeUndefined();
  expect(knownLimits('https://localhost:14000/dir')).toBeUndefined();
});
