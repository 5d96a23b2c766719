import { appendFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Disk } from '../low-water.ts';
import type { Clock } from '../system/clock.ts';
import { ensureDirectory, ownerToKeep, readIfExists, writeAtomically } from '../system/files.ts';

const shape = z.object({
  at: z.coerce.date(),
  /** Bytes. */
  free: z.number(),
  size: z.number(),
});

/** How full the images' disk was. */
export type Sample = z.infer<typeof shape>;

const HOUR = 3_600_000;
const MODE = 0o600;
/** 90 days at one an hour. */
const KEPT = 90 * 24;
/** About a third more than is kept. */
const ROTATE_ABOVE = 250_000;

/** How full the images' disk was, once an hour. Nothing but a forecast hangs on it. */
export class UsageLog {
  readonly #path: string;
  readonly #clock: Clock;
  #next = 0;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** Writes down how full it is, unless that was done within the hour. Never fails: it may be this disk that is full. */
  async sample({ free, size }: Disk): Promise<void> {
    const now = this.#clock.now();
    // After the clock was set back the last line lies ahead: that is no reason to wait for it.
    if (now.getTime() < this.#next && this.#next <= now.getTime() + HOUR) return;
    try {
      const before = (await readIfExists(this.#path)) ?? '';
      const age = now.getTime() - (samples(before).at(-1)?.at.getTime() ?? 0);
      if (age >= 0 && age < HOUR) return;
      await this.#add(before, `${JSON.stringify({ at: now, free, size })}\n`);
      this.#next = now.getTime() + HOUR;
    } catch {
      // one sample less
    }
  }

  /** In the order they were written. Lines that can't be read are left out. */
  async read(): Promise<Sample[]> {
    return samples((await readIfExists(this.#path)) ?? '');
  }

  async #add(before: string, line: string): Promise<void> {
    const whole = before !== '' && before.endsWith('\n');
    if (whole && before.length <= ROTATE_ABOVE) return appendFile(this.#path, line, { mode: MODE });
    await ensureDirectory(dirname(this.#path));
    const kept = before.split('\n').filter(Boolean).slice(-KEPT);
    await writeAtomically(this.#path, [...kept, line].join('\n'), MODE, await ownerToKeep(this.#path));
  }
}

function samples(text: string): Sample[] {
  return text.split('\n').filter(Boolean).flatMap(parse);
}

function parse(line: string): Sample[] {
  try {
    return [shape.parse(JSON.parse(line))];
  } catch {
    return [];
  }
}
