import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../src/system/clock.ts';

/** Nothing that is awaited in a test needs longer to happen than a few of these, in ms. */
const MOMENT = 10;

/**
 * The real time, moved. Whoever sleeps on it wakes after a moment and finds that the whole time has passed: so that
 * waiting takes no time in a test, and what others do meanwhile still happens.
 */
export class ShiftedClock implements Clock {
  #offset: number;

  /** @param offset milliseconds */
  constructor(offset = 0) {
    this.#offset = offset;
  }

  now(): Date {
    return new Date(Date.now() + this.#offset);
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    const woken = Math.min(milliseconds, MOMENT);
    await delay(woken, undefined, signal ? { signal } : {});
    this.move(milliseconds - woken);
  }

  move(milliseconds: number): void {
    this.#offset += milliseconds;
  }
}
