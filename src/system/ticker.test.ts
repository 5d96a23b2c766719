import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Clock } from './clock.ts';
import { startTicker } from './ticker.ts';

/** Waiting takes no time on it. */
const hasty: Clock = { now: () => new Date(), sleep: () => delay(1) };

test('a tick that fails is not the last one, and the ticker can still be stopped', async () => {
  let ticks = 0;
  const ticker = startTicker(hasty, async () => {
    ticks += 1;
    if (ticks === 2) throw new Error('no room left');
    return new Date();
  });
  await expect.poll(() => ticks).toBeGreaterThan(3);
  await ticker.stop();
});

test('it goes on also where no time of the wall clock comes', async () => {
  let ticks = 0;
  const ticker = startTicker(hasty, async () => {
    ticks += 1;
    return undefined;
  });
  await expect.poll(() => ticks).toBeGreaterThan(3);
  await ticker.stop();
});
