import { expect, test } from 'vitest';
import { isBelow, isOff, markOf, returnOf, sizeInWords } from './low-water.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

test('the mark is a number of bytes, or a share of the disk', () => {
  expect(markOf({ bytes: 2 * GIB }, { size: 100 * GIB })).toBe(2 * GIB);
  expect(markOf({ share: 0.05 }, { size: 100 * GIB })).toBe(5 * GIB);
});

test('who is below comes back with a tenth more, and 256 MiB at the most', () => {
  expect(isBelow(100 * MIB, 100 * MIB - 1, false)).toBe(true);
  expect(isBelow(100 * MIB, 100 * MIB, false)).toBe(false);
  expect(isBelow(100 * MIB, 110 * MIB - 1, true)).toBe(true);
  expect(isBelow(100 * MIB, 110 * MIB, true)).toBe(false);
  expect(returnOf(100 * GIB)).toBe(100 * GIB + 256 * MIB);
});

test('nothing is to stay free', () => {
  expect([{ bytes: 0 }, { share: 0 }].every(isOff)).toBe(true);
  expect([{ bytes: 1 }, { share: 0.01 }].some(isOff)).toBe(false);
});

test.each([
  [0, '0 bytes'],
  [-1, '0 bytes'],
  [1023, '1023 bytes'],
  [1024, '1 KiB'],
  [1.99 * MIB, '1.9 MiB'],
  [2 * GIB, '2 GiB'],
  [250.9 * GIB, '250 GiB'],
  [1024 ** 4, '1 TiB'],
])('%d bytes are %s: never more than there is', (bytes, words) => {
  expect(sizeInWords(bytes)).toBe(words);
});
