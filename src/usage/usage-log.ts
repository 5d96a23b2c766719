import { z } from 'zod';
import type { Disk } from '../low-water.ts';
import type { Clock } from '../system/clock.ts';
import { RecentLines } from '../system/json-lines.ts';

const shape = z.object({
  at: z.coerce.date(),
  /** Bytes. */
  free: z.number(),
  size: z.number(),
});

/** How full the images' disk was. */
export type Sample = z.infer<typeof shape>;

const HOUR = 3_600_000;
/** 90 days at one an hour; 250 kB is about a third more. */
const ROTATION = { kept: 90 * 24, above: 250_000 };

/** How full the images' disk was, once an hour. Nothing but a forecast hangs on it. */
export class UsageLog {
  readonly #lines: RecentLines<Sample>;
  readonly #clock: Clock;
  #next = 0;

  constructor(path: string, clock: Clock) {
    this.#lines = new RecentLines(path, shape, ROTATION);
    this.#clock = clock;
  }

  /** Writes down how full it is, unless that was done within the hour. Never fails: it may be this disk that is full. */
  async sample({ free, size }: Disk): Promise<void> {
    const now = this.#clock.now();
    // After the clock was set back the last line lies ahead: that is no reason to wait for it.
    if (now.getTime() < this.#next && this.#next <= now.getTime() + HOUR) return;
    try {
      const last = (await this.read()).at(-1);
      const age = now.getTime() - (last?.at.getTime() ?? 0);
      if (age >= 0 && age < HOUR) return;
      await this.#lines.add({ at: now, free, size });
      this.#next = now.getTime() + HOUR;
    } catch {
      // one sample less
    }
  }

  /** In the order they were written. Lines that can't be read are left out. */
  read(): Promise<Sample[]> {
    return this.#lines.read();
  }
}
