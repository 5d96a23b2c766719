import { z } from 'zod';
import { readIfExists, writeAtomically } from '../system/files.ts';

const MINUTE = 60_000;

/** How long to leave a CA alone after the 1st, 2nd, 3rd and every further failure in a row. */
const PAUSES = [1 * MINUTE, 10 * MINUTE, 100 * MINUTE, 24 * 60 * MINUTE] as const;

const LONGEST_PAUSE = Math.max(...PAUSES);

const state = z.object({ failures: z.number(), nextAttempt: z.coerce.date(), lastError: z.string() });

export type Attempts = z.infer<typeof state>;

/** The failures in a row, on disk so that a restart does not forget them. */
export class AttemptGate {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * What failed last and when the next try may be; `undefined` when the last one went well. A file that can't be read
   * says nothing; a time further off than the longest pause was written by a clock that was wrong.
   */
  async read(now: Date): Promise<Attempts | undefined> {
    const parsed = state.safeParse(parseJson((await readIfExists(this.#path)) ?? ''));
    if (!parsed.success || parsed.data.failures === 0) return undefined;
    const credible = parsed.data.nextAttempt.getTime() <= now.getTime() + LONGEST_PAUSE;
    return credible ? parsed.data : { ...parsed.data, nextAttempt: now };
  }

  async failed(now: Date, message: string): Promise<Attempts> {
    const failures = ((await this.read(now))?.failures ?? 0) + 1;
    const pause = PAUSES[Math.min(failures, PAUSES.length) - 1] ?? PAUSES[3];
    const attempts = { failures, nextAttempt: new Date(now.getTime() + pause), lastError: message };
    await writeAtomically(this.#path, JSON.stringify(attempts), 0o600);
    return attempts;
  }

  async succeeded(now: Date): Promise<void> {
    if ((await this.read(now)) === undefined) return;
    await writeAtomically(
      this.#path,
      JSON.stringify({ failures: 0, nextAttempt: new Date(0), lastError: '' }),
      0o600,
    );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
