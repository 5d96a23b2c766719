import { z } from 'zod';
import type { Clock } from './system/clock.ts';
import { RecentLines } from './system/json-lines.ts';

const shape = z.object({
  at: z.coerce.date(),
  /** Which command or part it was: `gc`, `prune`, `renewer`, … */
  by: z.string(),
  /** `trouble`: a person should look at it. */
  kind: z.enum(['done', 'trouble']),
  /** One sentence. */
  text: z.string(),
});

export type Event = z.infer<typeof shape>;

/** 200 kB is about twice as much as is kept. */
const ROTATION = { kept: 500, above: 200_000 };

/** What happened to the registry, for the person who asks for its status. Nothing hangs on it. */
export class Events {
  readonly #lines: RecentLines<Event>;
  readonly #clock: Clock;

  constructor(path: string, clock: Clock) {
    this.#lines = new RecentLines(path, shape, ROTATION);
    this.#clock = clock;
  }

  /** Never fails: a full disk must not end what happened. */
  async record(by: string, kind: Event['kind'], text: string): Promise<void> {
    try {
      await this.#lines.add({ at: this.#clock.now(), by, kind, text });
    } catch {
      // not told
    }
  }

  /** The last ones, the newest first. Lines that can't be read are left out. */
  async last(many: number): Promise<Event[]> {
    return (await this.#lines.read()).slice(-many).reverse();
  }
}
