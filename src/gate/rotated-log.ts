import { appendFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, systemCode } from '../errors.ts';

export interface Rotation {
  /** Bytes after which a new file is begun. */
  readonly size: number;
  /** How many older files are kept, as NAME.1 (the youngest) to NAME.N. */
  readonly keep: number;
}

/** Lines that wait while the disk is slow; beyond it the oldest are lost rather than all memory. */
const MOST_WAITING = 10_000;

/**
 * A file of lines (0600) that is rotated by size. Writing never waits and never fails: a disk that is full costs the
 * lines of that time, is complained about, and is tried again with the next line.
 */
export class RotatedLog {
  readonly #file: string;
  readonly #rotation: Rotation;
  readonly #complain: (problem: string) => void;
  #waiting: string[] = [];
  #writing: Promise<void> | undefined;

  constructor(folder: string, name: string, rotation: Rotation, complain: (problem: string) => void) {
    this.#file = join(folder, name);
    this.#rotation = rotation;
    this.#complain = complain;
  }

  write(line: string): void {
    if (this.#waiting.length >= MOST_WAITING) this.#waiting.shift();
    this.#waiting.push(`${line}\n`);
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Waits until every line so far is written or lost. */
  async flushed(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting.join('');
      this.#waiting = [];
      try {
        await this.#makeRoom();
        await appendFile(this.#file, lines, { mode: 0o600 });
      } catch (error) {
        this.#complain(`${this.#file} can't be written: ${messageOf(error)}`);
      }
    }
  }

  async #makeRoom(): Promise<void> {
    const { size } = await stat(this.#file).catch(absent);
    if (size < this.#rotation.size) return;
    for (let number = this.#rotation.keep; number >= 1; number -= 1) {
      const younger = number === 1 ? this.#file : `${this.#file}.${number - 1}`;
      await rename(younger, `${this.#file}.${number}`).catch(absent);
    }
  }
}

function absent(error: unknown): { size: number } {
  if (systemCode(error) === 'ENOENT') return { size: 0 };
  throw error;
}
