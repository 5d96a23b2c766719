import { readFile, stat } from 'node:fs/promises';
import { messageOf, type Problem, systemCode, WrongInput } from '../errors.ts';
import type { Clock } from '../system/clock.ts';
import { readIfExists, removeSynced, writeAtomically } from '../system/files.ts';

/** What a file says now, or why it says nothing. */
export type Reading<T> =
  | { readonly kind: 'good'; readonly value: T }
  /** The file is wrong: `inForce` is what it said last, if it ever was right. */
  | { readonly kind: 'bad'; readonly problems: readonly Problem[]; readonly inForce: T | undefined };

export interface Source<T> {
  readonly file: string;
  /** What it means that there is no such file. */
  readonly absent: T;
  /** @throws WrongInput naming file and line */
  readonly parse: (text: string) => T;
}

/**
 * Editors rename the old file away before the new one is there: gone is what is gone for so long, in ms. It is less than
 * the time between two looks, and not a number of looks: each wrong login makes another one.
 */
const GONE_FOR_GOOD = 300;
const ABSENT = 'absent';

/** A file that is read anew when it was replaced, and whose last good content outlives a bad one, over restarts too. */
export class WatchedFile<T> {
  readonly #source: Source<T>;
  readonly #copy: string;
  readonly #clock: Clock;
  #signature: string | undefined;
  #goneSince: number | undefined;
  #reading: Reading<T> | undefined;

  /** @param copy a file of our own for the last good content, 0600 */
  constructor(source: Source<T>, copy: string, clock: Clock) {
    this.#source = source;
    this.#copy = copy;
    this.#clock = clock;
  }

  get reading(): Reading<T> | undefined {
    return this.#reading;
  }

  /** What is in force, or `undefined` when the file was never right. */
  get value(): T | undefined {
    if (this.#reading?.kind === 'good') return this.#reading.value;
    return this.#reading?.inForce;
  }

  /** Looks whether the file was replaced. Answers whether there is a new reading. */
  async look(): Promise<boolean> {
    const signature = await signatureOf(this.#source.file);
    const goneFor = this.#goneFor(signature);
    if (signature === this.#signature) return false;
    const first = this.#signature === undefined;
    if (signature === ABSENT && !first && goneFor < GONE_FOR_GOOD) return false;
    this.#reading = await this.#read(signature);
    this.#signature = signature;
    return true;
  }

  #goneFor(signature: string): number {
    const now = this.#clock.now().getTime();
    this.#goneSince = signature === ABSENT ? (this.#goneSince ?? now) : undefined;
    return now - (this.#goneSince ?? now);
  }

  async #read(signature: string): Promise<Reading<T>> {
    try {
      if (signature === ABSENT) {
        await this.#keep(undefined);
        return { kind: 'good', value: this.#source.absent };
      }
      const text = await readFile(this.#source.file, 'utf8');
      const value = this.#source.parse(text);
      await this.#keep(text);
      return { kind: 'good', value };
    } catch (error) {
      return { kind: 'bad', problems: problemsOf(error, this.#source.file), inForce: await this.#lastGood() };
    }
  }

  /** A full disk does not make a good file a bad one: it only leaves the next process without a copy. */
  async #keep(text: string | undefined): Promise<void> {
    const kept = text === undefined ? removeSynced(this.#copy) : writeAtomically(this.#copy, text, 0o600);
    await kept.catch(() => undefined);
  }

  async #lastGood(): Promise<T | undefined> {
    if (this.value !== undefined) return this.value;
    try {
      const text = await readIfExists(this.#copy);
      return text === undefined ? undefined : this.#source.parse(text);
    } catch {
      return undefined;
    }
  }
}

/** The same signature means the same file with the same content. */
async function signatureOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? ABSENT : `unreadable: ${messageOf(error)}`;
  }
}

function problemsOf(error: unknown, file: string): readonly Problem[] {
  if (error instanceof WrongInput) return error.problems;
  return [{ input: file, message: `can't be read: ${messageOf(error)}` }];
}
