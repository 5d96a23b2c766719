import type { Clock } from '../system/clock.ts';
import { writeAtomically } from '../system/files.ts';
import { readLastUsed } from '../users/last-used.ts';

/** When each token was used last: a JSON object of token ids and ISO times, written now and then. */
export class LastUse {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #times: Map<string, Date>;
  #dirty = false;

  private constructor(file: string, clock: Clock, times: Map<string, Date>) {
    this.#file = file;
    this.#clock = clock;
    this.#times = times;
  }

  /** A file that can't be read is begun anew. */
  static async open(file: string, clock: Clock): Promise<LastUse> {
    return new LastUse(file, clock, await readLastUsed(file));
  }

  note(token: string): void {
    this.#times.set(token, this.#clock.now());
    this.#dirty = true;
  }

  /** @param present ids of the tokens there are; others are forgotten */
  async save(present: ReadonlySet<string>): Promise<void> {
    if (!this.#dirty) return;
    for (const id of this.#times.keys()) if (!present.has(id)) this.#times.delete(id);
    const text = JSON.stringify(Object.fromEntries(this.#times));
    this.#dirty = false;
    try {
      await writeAtomically(this.#file, text, 0o600);
    } catch (error) {
      this.#dirty = true;
      throw error;
    }
  }
}
