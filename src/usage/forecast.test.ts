import { expect, test } from 'vitest';
import { type Forecast, forecast } from './forecast.ts';
import type { Sample } from './usage-log.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const GIB = 1024 ** 3;
const SIZE = 1000 * GIB;
const now = new Date('2026-07-01T12:00:00Z');

/** What is used, in GiB, so many days ago. */
type Course = (daysAgo: number) => number;

const samples = (days: number, used: Course, { every = 1, size = SIZE } = {}): Sample[] =>
  Array.from({ length: Math.floor((days * 24) / every) + 1 }, (_, index) => {
    const age = days - (index * every) / 24;
    return { at: new Date(now.getTime() - age * DAY), free: size - used(age) * GIB, size };
  });

const foretold = (taken: readonly Sample[], free = 500, mark = 0) =>
  forecast(taken, { free: free * GIB, size: SIZE, mark: mark * GIB }, now);

/** In how many days it is full; the kind where it does not become so. */
const fullIn = (told: Forecast) =>
  told.kind === 'full' ? (told.at.getTime() - now.getTime()) / DAY : told.kind;

/** From -0.5 to 0.5, always the same. */
const noise = (age: number) => ((Math.sin(age * 12.9898) * 43_758.5453) % 1) / 2;
const growing: Course = (age) => 500 - 10 * age;

test.each<[string, Sample[], number]>([
  ['steady growth', samples(30, growing), 50],
  ['three days of it', samples(3, growing), 50],
  ['noise', samples(30, (age) => growing(age) + 20 * noise(age)), 50],
  ['growth once a day', samples(30, (age) => growing(Math.ceil(age))), 50],
  [
    'some spikes: builds that were taken away again',
    samples(30, (age) => growing(age) + (Math.round(age * 24) % 97 === 0 ? 300 : 0)),
    50,
  ],
  [
    'a gap of ten days',
    samples(30, growing).filter(({ at }) => Math.abs(now.getTime() - at.getTime() - 15 * DAY) > 5 * DAY),
    50,
  ],
  ['a sample a day', samples(30, growing, { every: 24 }), 50],
  ['one clean-up in the middle', samples(30, (age) => growing(age) + (age > 15 ? 150 : 0)), 50],
  ['one clean-up yesterday', samples(30, (age) => growing(age) + (age > 1 ? 150 : 0)), 50],
  ['one clean-up long ago', samples(30, (age) => growing(age) + (age > 28 ? 150 : 0)), 50],
  ['samples in any order', samples(30, growing).reverse(), 50],
  [
    'what a wrong clock wrote ahead of now',
    [
      ...samples(30, growing),
      ...samples(30, () => 0).map((each) => ({ ...each, at: new Date(each.at.getTime() + 60 * DAY) })),
    ],
    50,
  ],
  ['another course more than 30 days ago', samples(90, (age) => (age > 31 ? 900 : growing(age))), 50],
  ['a smaller disk before', [...samples(30, () => 90, { size: 100 * GIB }), ...samples(10, growing)], 50],
])('%s', (_, taken, days) => {
  expect(fullIn(foretold(taken))).toBeGreaterThan(days * 0.93);
  expect(fullIn(foretold(taken))).toBeLessThan(days * 1.07);
});

test('it is full where pushes begin to be refused', () => {
  expect(fullIn(foretold(samples(30, growing), 500, 300))).toBeCloseTo(20, 5);
});

test('below the mark it is full now', () => {
  expect(fullIn(foretold(samples(30, growing), 100, 300))).toBe(0);
});

test('what is free now counts, not what the last sample said', () => {
  expect(fullIn(foretold(samples(30, growing), 100))).toBeCloseTo(10, 5);
});

test.each<[string, Sample[]]>([
  ['no samples', []],
  ['one sample', samples(0, growing)],
  ['less than three days', samples(2.5, growing)],
  ['three days with hardly a sample', samples(30, growing, { every: 24 * 10 })],
  ['samples of a larger disk', samples(30, growing, { size: 4 * SIZE })],
])('%s: not known yet', (_, taken) => {
  expect(foretold(taken)).toEqual({ kind: 'unknown', because: 'too-few-days' });
});

test.each<[string, Course, Forecast['kind']]>([
  ['nothing happens', () => 500, 'not-within-a-year'],
  ['only noise', (age) => 500 + noise(age), 'not-within-a-year'],
  ['very slow growth', (age) => 500 - 0.5 * age, 'not-within-a-year'],
  ['it gets emptier', (age) => 500 + 5 * age, 'shrinking'],
  [
    'a clean-up every night takes away what the day brought',
    (age) => 500 + 20 * (1 - (age % 1)),
    'not-within-a-year',
  ],
  ['one clean-up and nothing else', (age) => (age > 10 ? 700 : 500), 'not-within-a-year'],
])('%s', (_, used, kind) => {
  expect(foretold(samples(30, used)).kind).toBe(kind);
});
