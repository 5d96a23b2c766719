import type { Clock } from '../../src/system/clock.ts';

/** A sleep that lasts until the test ends it. */
export interface Sleep {
  readonly milliseconds: number;
  wake(): void;
}

/** A clock that stands still. Tests wake its sleepers by hand. */
export class ManualClock implements Clock {
  readonly sleeping = new Set<Sleep>();

  now(): Date {
    return new Date('2026-01-01T00:00:00Z');
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleep = {
        milliseconds,
        wake: () => {
          this.sleeping.delete(sleep);
          resolve();
        },
      };
      this.sleeping.add(sleep);
      signal?.addEventListener('abort', () => {
        this.sleeping.delete(sleep);
        reject(signal.reason);
      });
    });
  }
}
