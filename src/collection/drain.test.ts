import { expect, test } from 'vitest';
import type { Clock } from '../system/clock.ts';
import { awaitQuiet } from './drain.ts';
import type { Traffic } from './traffic.ts';

/** Time passes only by sleeping. */
function steppingClock(): Clock {
  let now = 0;
  return {
    now: () => new Date(now),
    sleep: async (milliseconds) => {
      now += milliseconds;
    },
  };
}

/** What is seen second by second; the last stays. */
function seen(clock: Clock, ...traffic: readonly Traffic[]): () => Promise<Traffic> {
  return async () =>
    traffic[Math.min(traffic.length - 1, Math.floor(clock.now().getTime() / 1000))] ?? {
      uploads: 0,
      written: 0,
    };
}

const drained = async (patience: number, ...traffic: readonly Traffic[]) => {
  const clock = steppingClock();
  const result = await awaitQuiet(seen(clock, ...traffic), { clock, patience }, () => undefined);
  return { ...result, after: clock.now().getTime() };
};

test('two seconds without a push are quiet', async () => {
  expect(await drained(60_000, { uploads: 0, written: 5 })).toEqual({ left: 0, quiet: true, after: 2_000 });
});

test('an upload on its way is waited for', async () => {
  const under = { uploads: 1, written: 5 };
  const result = await drained(60_000, under, under, under, { uploads: 0, written: 6 });
  expect(result).toEqual({ left: 0, quiet: true, after: 5_000 });
});

test('between two requests of a push it is not quiet', async () => {
  const steps = [1, 2, 3, 4].map((written) => ({ uploads: 0, written }));
  expect(await drained(60_000, ...steps)).toMatchObject({ quiet: true, after: 5_000 });
});

test('patience ends, and what is left is told', async () => {
  expect(await drained(3_000, { uploads: 2, written: 5 })).toEqual({ left: 2, quiet: false, after: 3_000 });
});
