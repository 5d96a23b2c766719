import { expect, test } from 'vitest';
import { endOf, parseLifetime } from './lifetime.ts';

const now = new Date('2026-07-01T12:00:00.000Z');

test.each([
  ['12h', '2026-07-02T00:00:00.000Z'],
  ['90d', '2026-09-29T12:00:00.000Z'],
  ['2w', '2026-07-15T12:00:00.000Z'],
  ['1y', '2027-07-01T12:00:00.000Z'],
  ['never', undefined],
])('%s from now on ends %s', (text, end) => {
  expect(endOf(Number(parseLifetime(text)), now)?.toISOString()).toBe(end);
});

test.each([
  ['', 'no lifetime'],
  ['90', 'no lifetime'],
  ['90 d', 'no lifetime'],
  ['-1d', 'no lifetime'],
  ['1.5d', 'no lifetime'],
  ['3m', 'no lifetime'],
  ['0d', 'at once'],
  ['101y', 'write never'],
  ['999999999y', 'write never'],
])('%j is refused: %s', (text, reason) => {
  expect(parseLifetime(text)).toContain(reason);
});
