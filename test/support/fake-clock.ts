import type { Clock } from '../../src/system/clock.ts';

/** A clock that moves only by sleeping. */
export class FakeClock implements Clock {
  #now: number;

  constructor(now: string) {
    this.#now = Date.parse(now);
  }

  now(): Date {
    return new Date(this.#now);
  }

  async sleep(milliseconds: number): Promise<void> {
    this.#now += milliseconds;
  }

  set(now: Date): void {
    this.#now = now.getTime();
  }
}
