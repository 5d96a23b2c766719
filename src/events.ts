import { appendFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Clock } from './system/clock.ts';
import { ensureDirectory, ownerToKeep, readIfExists, writeAtomically } from './system/files.ts';

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

const MODE = 0o600;
const KEPT = 500;
/** About twice as much as is kept. */
const ROTATE_ABOVE = 200_000;

/** What happened to the registry, for the person who asks for its status. Nothing hangs on it. */
export class Events {
  readonly #path: string;
  readonly #clock: Clock;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** Never fails: a full disk must not end what happened. */
  async record(by: string, kind: Event['kind'], text: string): Promise<void> {
    const line = `${JSON.stringify({ at: this.#clock.now(), by, kind, text })}\n`;
    try {
      const before = await readIfExists(this.#path);
      if (before === undefined || before.length > ROTATE_ABOVE || !before.endsWith('\n'))
        await this.#rewrite(before ?? '', line);
      else await appendFile(this.#path, line, { mode: MODE });
    } catch {
      // not told
    }
  }

  /** The last ones, the newest first. Lines that can't be read are left out. */
  async last(many: number): Promise<Event[]> {
    const lines = ((await readIfExists(this.#path)) ?? '').split('\n').filter(Boolean);
    return lines.flatMap(parse).slice(-many).reverse();
  }

  async #rewrite(before: string, line: string): Promise<void> {
    const kept = before.split('\n').filter(Boolean).slice(-KEPT);
    await ensureDirectory(dirname(this.#path));
    const content = [...kept, line].join('\n');
    await writeAtomically(this.#path, content, MODE, await ownerToKeep(this.#path));
  }
}

function parse(line: string): Event[] {
  try {
    return [shape.parse(JSON.parse(line))];
  } catch {
    return [];
  }
}
