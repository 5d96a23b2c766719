import { expect, test } from 'vitest';
import { parseReserve } from './disk-reserve.ts';

test.each([
  ['2GiB', { bytes: 2 * 1024 ** 3 }],
  ['1.5 GiB', { bytes: 1.5 * 1024 ** 3 }],
  ['500MB', { bytes: 500e6 }],
  ['1TiB', { bytes: 1024 ** 4 }],
  ['2gb', { bytes: 2e9 }],
  ['5%', { share: 0.05 }],
  ['0.5%', { share: 0.005 }],
  ['0', { bytes: 0 }],
])('%s', (value, reserve) => {
  expect(parseReserve(value)).toEqual(reserve);
});

test.each(['', '2', '-1GiB', '2G', 'GiB', '2 GiB of it', '1e3MB', '91%', '5 percent', '1_000MB', '2,5GB'])(
  'no reserve: %j',
  (value) => {
    expect(parseReserve(value)).toEqual(expect.any(String));
  },
);
