import { schedule } from 'node-cron';

const EVERY_TEN_MINUTES = '*/10 * * * *';
/** So that many machines do not come to a CA in the same second. */
const JITTER = 60_000;

/** Calls `tick` now and every ten minutes, never twice at once. */
export function startTicker(tick: () => Promise<void>): { stop: () => Promise<void> } {
  let running = tick();
  const again = () => {
    running = running.then(tick);
    return running;
  };
  const task = schedule(EVERY_TEN_MINUTES, again, { noOverlap: true, maxRandomDelay: JITTER });
  return {
    // A tick under way is waited for: what it began is better finished than recovered.
    stop: async () => {
      await task.destroy();
      await running;
    },
  };
}
