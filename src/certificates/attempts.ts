import { z } from 'zod';
import { readIfExists, writeAtomically } from '../system/files.ts';

const MINUTE = 60_000;

/** How long to leave a CA alone after the 1st, 2nd, 3rd and every further failure in a row. */
const PAUSES = [1 * MINUTE, 10 * MINUTE, 100 * MINUTE, 24 * 60 * MINUTE] as const;

const state = z.object({ failures: z.number(), nextAttempt: z.coerce.date(), lastError: z.string() });

export type Attempts = z.infer<typeof state>;

/** The failures in a row, on disk so that a restart does not forget them. */
export class AttemptGate {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** What failed last and when the next try may be; `undefined` when the last one went well. */
  async read(): Promise<Attempts | undefined> {
    const text = await readIfExists(this.#path);
    if (text === undefined) return undefined;
    const parsed = state.safeParse(JSON.parse(text));
    return parsed.success && parsed.data.failures > 0 ? parsed.data : undefined;
  }

  async failed(now: Date, message: string): Promise<Attempts> {
    const failures = ((await this.read())?.failures ?? 0) + 1;
    const pause = PAUSES[Math.min(failures, PAUSES.length) - 1] ?? PAUSES[3];
    const attempts = { failures, nextAttempt: new Date(now.getTime() + pause), lastError: message };
    await writeAtomically(this.#path, JSON.stringify(attempts), 0o600);
    return attempts;
  }

  async succeeded(): Promise<void> {
    if ((await this.read()) === undefined) return;
    await writeAtomically(
      this.#path,
      JSON.stringify({ failures: 0, nextAttempt: new Date(0), lastError: '' }),
      0o600,
    );
  }
}
