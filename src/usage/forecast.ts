import type { MarkedDisk } from '../low-water.ts';
import type { Sample } from './usage-log.ts';

/** When the images' disk has no more room for pushes, if it goes on as it did. `perDay`: bytes that are added a day. */
export type Forecast =
  | { readonly kind: 'unknown'; readonly because: 'too-few-days' }
  | { readonly kind: 'full'; readonly at: Date; readonly perDay: number }
  | { readonly kind: 'not-within-a-year'; readonly perDay: number }
  | { readonly kind: 'shrinking'; readonly perDay: number };

/** A time, in days, and what was used then, in bytes. */
interface Point {
  readonly day: number;
  readonly used: number;
}

const DAY = 24 * 3_600_000;
/** What was longer ago says little about today. */
const LOOK_BACK = 30;
const LEAST_SPAN = 3;
/** One point for six hours: as many pairs as two busy milliseconds take. */
const POINTS_PER_DAY = 4;
const LEAST_POINTS = 6;
/** Days; two points that are closer to each other tell more of the noise than of the trend. */
const LEAST_APART = 0.5;
/** A clean-up is a drop by more than this share of the whole range, and by more than all other drops together. */
const CLEAN_UP = 0.1;
/** Share of the disk a month; less than that stands still. */
const STANDS_STILL = 0.005;
const YEAR = 365;
/** Share by which a disk's size may differ: some file systems count what others of their pool have. */
const SAME_SIZE = 0.05;

/**
 * The trend of the last 30 days, carried on from what is free now to the mark below which pushes are refused. The
 * slope is Theil–Sen's: the median of the slopes between all pairs of points, which no outlier moves. One clean-up
 * says nothing about the next, so pairs across it don't count; those that come again and again belong to the trend.
 */
export function forecast(samples: readonly Sample[], disk: MarkedDisk, now: Date): Forecast {
  const points = thinned(samples, disk, now);
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length < LEAST_POINTS) return TOO_FEW;
  if (last.day - first.day < LEAST_SPAN) return TOO_FEW;
  const perDay = slopeOf(points);
  if (perDay === undefined) return TOO_FEW;
  if (perDay * LOOK_BACK < -STANDS_STILL * disk.size) return { kind: 'shrinking', perDay };
  const left = Math.max(0, disk.free - disk.mark);
  if (left >= perDay * YEAR) return { kind: 'not-within-a-year', perDay };
  return { kind: 'full', at: new Date(now.getTime() + (left / perDay) * DAY), perDay };
}

const TOO_FEW: Forecast = { kind: 'unknown', because: 'too-few-days' };

/**
 * The median of each six hours, in order of time. What lies ahead was written by a clock that was wrong, and what was
 * said of a disk of another size says nothing of this one.
 */
function thinned(samples: readonly Sample[], { size }: MarkedDisk, now: Date): Point[] {
  const buckets = new Map<number, number[]>();
  for (const { at, free, size: then } of samples) {
    const age = (now.getTime() - at.getTime()) / DAY;
    if (age < 0 || age > LOOK_BACK || Math.abs(then - size) > SAME_SIZE * size) continue;
    const bucket = Math.floor((at.getTime() / DAY) * POINTS_PER_DAY);
    buckets.set(bucket, [...(buckets.get(bucket) ?? []), size - free]);
  }
  return [...buckets]
    .sort(([one], [other]) => one - other)
    .map(([bucket, used]) => ({ day: bucket / POINTS_PER_DAY, used: median(used) ?? 0 }));
}

function slopeOf(points: readonly Point[]): number | undefined {
  const cut = cleanUp(points);
  const sides = cut === undefined ? [points] : [points.slice(0, cut), points.slice(cut)];
  return median(sides.flatMap(slopes));
}

function slopes(points: readonly Point[]): number[] {
  return points.flatMap((from, index) =>
    points
      .slice(index + 1)
      .filter(({ day }) => day - from.day >= LEAST_APART)
      .map(({ day, used }) => (used - from.used) / (day - from.day)),
  );
}

/** The index of the first point after the one clean-up; `undefined` where there is none, or there are several. */
function cleanUp(points: readonly Point[]): number | undefined {
  const used = points.map((point) => point.used);
  const drops = used.map((each, index) => Math.max(0, (used[index - 1] ?? each) - each));
  const largest = Math.max(...drops);
  const others = drops.reduce((sum, drop) => sum + drop, 0) - largest;
  const range = Math.max(...used) - Math.min(...used);
  return largest > others && largest > CLEAN_UP * range ? drops.indexOf(largest) : undefined;
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
