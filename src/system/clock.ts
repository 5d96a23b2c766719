import { setTimeout as delay } from 'node:timers/promises';

/** All the time there is: decisions take `now()`, waiting goes through `sleep`, tests bring their own. */
export interface Clock {
  now(): Date;
  /** Resolves after `milliseconds`; rejects with an AbortError when the signal fires first. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: async (milliseconds, signal) => {
    await delay(milliseconds, undefined, signal ? { signal } : {});
  },
};

/** Asks `condition` every `every` ms until it answers something, or `undefined` once `within` ms are over. */
export async function eventually<T>(
  clock: Clock,
  { within, every }: { within: number; every: number },
  condition: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = clock.now().getTime() + within;
  for (;;) {
    const value = await condition();
    if (value !== undefined) return value;
    if (clock.now().getTime() >= deadline) return undefined;
    await clock.sleep(every);
  }
}

/** `2026-07-01 12:00 UTC` */
export function utcMinute(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
