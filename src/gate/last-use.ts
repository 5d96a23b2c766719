import { z } from 'zod';
import type { Clock } from '../system/clock.ts';
import { readIfExists, writeAtomically } from '../system/files.ts';

const record = z.record(z.string(), z.iso.datetime());

/** When each token was used last: a JSON object of token ids and ISO times, written now and then. */
export class LastUse {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #times: Map<string, string>;
  #dirty = false;

  private constructor(file: string, clock: Clock, times: Map<string, string>) {
    this.#file = file;
    this.#clock = clock;
    this.#times = times;
  }

  /** A file that can't be read is begun anew: it is a comfort, not a right. */
  static async open(file: string, clock: Clock): Promise<LastUse> {
    return new LastUse(file, clock, new Map(Object.entries(await readTimes(file))));
  }

  note(token: string): void {
    this.#times.set(token, this.#clock.now().toISOString());
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

async function readTimes(file: string): Promise<Record<string, string>> {
  try {
    return record.parse(JSON.parse((await readIfExists(file)) ?? '{}'));
  } catch {
    return {};
  }
}
