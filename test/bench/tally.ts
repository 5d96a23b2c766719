import { messageOf } from '../../src/errors.ts';

/** How many requests were made, and what became of those that failed. */
export interface Count {
  readonly asked: number;
  readonly failed: readonly string[];
}

/** Counts requests as they end. A request that fails is counted and told, and the others go on. */
export class Tally {
  #asked = 0;
  #failed: string[] = [];

  /** `undefined` when it failed. */
  async count<T>(what: string, request: () => Promise<T>): Promise<T | undefined> {
    this.#asked += 1;
    try {
      return await request();
    } catch (error) {
      this.#failed.push(`${what}: ${messageOf(error)}`);
      return undefined;
    }
  }

  /** What ended since the last time. */
  take(): Count {
    const taken = { asked: this.#asked, failed: this.#failed };
    this.#asked = 0;
    this.#failed = [];
    return taken;
  }
}
