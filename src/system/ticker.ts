import { schedule } from 'node-cron';
import type { Clock } from './clock.ts';

const EVERY_TEN_MINUTES = '*/10 * * * *';
/** So that many machines do not come to a CA in the same second. */
const JITTER = 60_000;
/**
 * The next regular tick is not further away; an alarm for later is set by it. An alarm for this moment is set in any
 * case: node-cron waits for a wall-clock time, and where the clock was set back by a year it would wait a year.
 */
const REACH = 11 * 60_000;
/** However often something seems to be due, the machine is left in peace for so long. */
const SHORTEST = 1_000;

/**
 * Calls `tick` now and every ten minutes, never twice at once, and also at the moment that the last one named: what
 * is due in a minute is not done nine minutes late. One that fails is not the last one.
 */
export function startTicker(
  clock: Clock,
  tick: () => Promise<Date | undefined>,
): { stop: () => Promise<void> } {
  const stopped = new AbortController();
  let alarm = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const again = () => {
    running = running.then(async () => {
      if (stopped.signal.aborted) return;
      const next = await tick().catch(() => undefined);
      alarm.abort();
      alarm = new AbortController();
      setAlarm(next);
    });
    return running;
  };
  const setAlarm = (next: Date | undefined) => {
    const left = next === undefined ? REACH : next.getTime() - clock.now().getTime();
    const pause = Math.min(REACH, Math.max(SHORTEST, left));
    const signal = AbortSignal.any([alarm.signal, stopped.signal]);
    clock.sleep(pause, signal).then(again, () => undefined);
  };
  again();
  const task = schedule(EVERY_TEN_MINUTES, again, { noOverlap: true, maxRandomDelay: JITTER });
  return {
    // A tick under way is waited for: what it began is better finished than recovered.
    stop: async () => {
      stopped.abort();
      await task.destroy();
      await running;
    },
  };
}
