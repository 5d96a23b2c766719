import { compareSync } from 'bcryptjs';
import { expect, test } from 'vitest';
import { costOf } from '../users/htpasswd.ts';
import { dummyHash, paddingFor } from './dummy-hash.ts';

test('a dummy is a hash of its cost, and bcrypt works on it', () => {
  expect(costOf(dummyHash(12))).toBe(12);
  expect(costOf(dummyHash(1))).toBe(4);
  expect(compareSync('', dummyHash(4))).toBe(false);
});

test.each([
  [5, 12],
  [4, 5],
  [12, 12],
  [12, 10],
])('a hash of cost %i with its padding is as much work as one of cost %i, or as itself', (cost, highest) => {
  const hashes = [dummyHash(cost), ...paddingFor(dummyHash(cost), highest)];
  const work = hashes.reduce((sum, hash) => sum + 2 ** costOf(hash), 0);
  expect(work).toBe(2 ** Math.max(cost, highest));
});
