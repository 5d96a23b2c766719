import { expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import type { Reserve } from '../low-water.ts';
import { type Claim, type Shortage, Space } from './space.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const MARK = 100 * MIB;

/** A disk of 1 TiB of which the test says how much is free. */
function setUp(free: number, reserve: Reserve = { bytes: MARK }) {
  const disk = { free, size: 1024 * GIB, broken: false, looks: 0 };
  const told: string[] = [];
  const clock = new ManualClock();
  const look = async () => {
    disk.looks += 1;
    if (disk.broken) throw new Error('EIO');
    return { free: disk.free, size: disk.size };
  };
  return { disk, told, clock, space: new Space({ reserve, look, clock, tell: (line) => told.push(line) }) };
}

function claimed(claim: Claim | Shortage): Claim {
  if (!('take' in claim)) throw new Error('there is no room');
  return claim;
}

test('below the mark there is no room, at it there is', async () => {
  const { disk, space } = setUp(MARK - 1);
  await space.look();
  expect(space.shortage()).toEqual({ free: MARK - 1, kept: MARK });
  expect(space.claim('ada')).toEqual({ free: MARK - 1, kept: MARK });
  disk.free = MARK;
  expect(space.shortage()).toBeDefined(); // until somebody looks
  disk.free = 1.1 * MARK;
  await space.look();
  expect(space.shortage()).toBeUndefined();
});

test('it does not flap: who was below has to be a tenth above', async () => {
  const { disk, space } = setUp(MARK - 1);
  const states: boolean[] = [];
  for (const free of [MARK - 1, MARK + 1, 1.1 * MARK - 1, 1.1 * MARK, MARK, MARK - 1]) {
    disk.free = free;
    await space.look();
    states.push(space.shortage() === undefined);
  }
  expect(states).toEqual([false, false, false, true, true, false]);
});

test('what is declared has to fit, with what is kept of all that was declared before and has not come', async () => {
  const { space } = setUp(MARK + 40 * MIB);
  await space.look();
  expect(space.shortage(41 * MIB)).toBeDefined();
  const first = claimed(space.claim('ada', 6 * MIB));
  expect(first.kept).toBe(true);
  expect(space.claim('bob', 35 * MIB)).toEqual({ free: MARK + 34 * MIB, kept: MARK });
  expect(first.take(5 * MIB)).toBeUndefined();
  expect(space.shortage(35 * MIB)).toBeDefined(); // counted once, not twice
  expect(space.shortage(34 * MIB)).toBeUndefined();
  first.end();
  expect(space.shortage(35 * MIB)).toBeUndefined();
  expect(space.shortage(36 * MIB)).toBeDefined(); // five are on the disk
});

test('lengths that are declared and never come keep a quarter of the room at most from others', async () => {
  const { space } = setUp(MARK + 40 * MIB);
  await space.look();
  const claims = Array.from({ length: 100 }, () => claimed(space.claim('eve', 30 * MIB)));
  expect(claims.map(({ kept }) => kept)).not.toContain(true);
  expect(claimed(space.claim('eve', 0)).kept).toBe(true);
  expect(claimed(space.claim('bob', 30 * MIB)).take(30 * MIB)).toBeUndefined();
  for (const claim of claims) claim.end();
  expect(space.shortage(10 * MIB)).toBeUndefined();
});

test('what is declared beyond what is kept comes while there is room', async () => {
  const { space } = setUp(MARK + 40 * MIB);
  await space.look();
  const [one, other] = [claimed(space.claim('ada', 30 * MIB)), claimed(space.claim('ada', 30 * MIB))];
  expect(one.take(25 * MIB)).toBeUndefined();
  expect(other.take(16 * MIB)).toEqual({ free: MARK + 15 * MIB, kept: MARK });
  expect(other.take(15 * MIB)).toBeUndefined();
});

test('what comes undeclared is counted until a look shows it', async () => {
  const { disk, space } = setUp(MARK + 10 * MIB);
  await space.look();
  const [one, other] = [claimed(space.claim('ada')), claimed(space.claim('ada'))];
  expect(one.take(6 * MIB)).toBeUndefined();
  expect(other.take(6 * MIB)).toEqual({ free: MARK + 4 * MIB, kept: MARK });
  expect(other.take(4 * MIB)).toBeUndefined(); // what did not fit was not counted
  await space.look(); // the registry has deleted as much
  expect(other.take(10 * MIB)).toBeUndefined();
  disk.free = MARK;
  await space.look();
  expect(one.take(1)).toEqual({ free: MARK, kept: MARK });
});

test('more than is declared is more', async () => {
  const { space } = setUp(MARK + 10 * MIB);
  await space.look();
  const claim = claimed(space.claim('ada', 8 * MIB));
  expect(claim.take(9 * MIB)).toBeUndefined();
  expect(claim.take(2 * MIB)).toEqual({ free: MARK + MIB, kept: MARK });
});

test('within 16 GiB of the mark uploads are watched, and those that would lead there', async () => {
  const { disk, space } = setUp(MARK + 16 * GIB);
  await space.look();
  expect(space.isNear()).toBe(false);
  expect(space.isNear(1)).toBe(true);
  disk.free -= 1;
  await space.look();
  expect(space.isNear()).toBe(true);
});

test('a share of the disk', async () => {
  const { space } = setUp(51 * GIB, { share: 0.05 });
  await space.look();
  expect(space.shortage()).toEqual({ free: 51 * GIB, kept: Math.ceil(0.05 * 1024 * GIB) });
});

test('a disk that can’t be looked at stops nobody, and is complained about once', async () => {
  const { disk, told, space } = setUp(0);
  await space.look();
  expect(space.shortage()).toBeDefined();
  disk.broken = true;
  await space.look();
  await space.look();
  expect([space.shortage(1 * GIB), space.isNear()]).toEqual([undefined, false]);
  expect(claimed(space.claim('ada', GIB)).take(GIB)).toBeUndefined();
  expect(told).toEqual(['the disk of the images can’t be looked at: EIO']);
  disk.broken = false;
  await space.look();
  expect(space.shortage()).toBeDefined();
});

test('it looks four times a second until it is told to stop', async () => {
  const { disk, clock, space } = setUp(0);
  const ending = new AbortController();
  const running = space.keepFresh(ending.signal);
  for (let looks = 1; looks <= 3; looks += 1) {
    await expect.poll(() => [...clock.sleeping]).toHaveLength(1);
    const [sleep] = clock.sleeping;
    expect([disk.looks, sleep?.milliseconds]).toEqual([looks, 250]);
    sleep?.wake();
  }
  await expect.poll(() => [...clock.sleeping]).toHaveLength(1);
  ending.abort();
  await running;
});

test('with nothing to be kept free nobody looks', async () => {
  const { disk, space } = setUp(0, { bytes: 0 });
  await space.keepFresh(new AbortController().signal);
  await space.look();
  expect([disk.looks, space.shortage(GIB), space.isNear(GIB)]).toEqual([0, undefined, false]);
});
