import { expect, test } from 'vitest';
import { tokensState } from './users.ts';

const now = new Date('2026-07-01T12:00:00Z');
const inDays = (days: number) => new Date(now.getTime() + days * 24 * 3_600_000);
const token = (id: string, expires: Date | undefined) => ({
  id,
  user: 'ci',
  digest: '',
  allow: undefined,
  created: inDays(-90),
  expires,
});

test('tokens that are over, that end within a week, and the use that was last', () => {
  const tokens = [
    token('over', inDays(-1)),
    token('now', now),
    token('week', inDays(7)),
    token('day', inDays(1)),
    token('later', inDays(7.1)),
    token('never', undefined),
  ];
  const used = new Map([
    ['day', inDays(-3)],
    ['never', inDays(-2)],
    ['gone', inDays(-1)],
  ]);
  expect(tokensState(tokens, used, now)).toEqual({
    tokens: 6,
    expired: ['ci:over', 'ci:now'],
    expiring: [
      { name: 'ci:day', expires: inDays(1) },
      { name: 'ci:week', expires: inDays(7) },
    ],
    lastUse: { name: 'ci:never', at: inDays(-2) },
  });
});

test('no tokens', () => {
  expect(tokensState([], new Map(), now)).toEqual({
    tokens: 0,
    expired: [],
    expiring: [],
    lastUse: undefined,
  });
});
