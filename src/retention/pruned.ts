import { dirname } from 'node:path';
import { z } from 'zod';
import { Failure } from '../errors.ts';
import { ensureDirectory, ownerToKeep, writeAtomically } from '../system/files.ts';
import { readLines } from '../system/json-lines.ts';

const shape = z.object({
  /** Of the run that removed it; runs sort by time. */
  run: z.string(),
  /** When it was removed. */
  at: z.coerce.date(),
  repository: z.string(),
  /** A tag that was removed; absent for a manifest that was given up, with its tags or for want of one. */
  tag: z.string().optional(),
  digest: z.string(),
  /** The time of push that it had. */
  pushed: z.coerce.date(),
  /** When it is given up: a collection then frees what nothing else needs. */
  until: z.coerce.date(),
});

export type Remembered = z.infer<typeof shape>;

const MODE = 0o600;

/** What was removed and is not given up yet: one JSON object a line, always replaced as a whole. */
export class PrunedFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws Failure `state-damaged` */
  async read(): Promise<Remembered[]> {
    const lines = await readLines(this.#path);
    try {
      return lines.map((line) => shape.parse(JSON.parse(line)));
    } catch (cause) {
      throw new Failure(
        'state-damaged',
        `${this.#path} has a line that can't be read.`,
        'Take the line out. What it remembered can no longer be brought back by --undo.',
        { cause },
      );
    }
  }

  /** A newer entry takes the place of one about the same. */
  async add(entries: readonly Remembered[]): Promise<void> {
    if (entries.length === 0) return;
    const all = new Map([...(await this.read()), ...entries].map((each) => [keyOf(each), each]));
    await this.replace([...all.values()]);
  }

  async forget(entries: readonly Remembered[]): Promise<void> {
    if (entries.length === 0) return;
    const gone = new Set(entries.map(keyOf));
    await this.replace((await this.read()).filter((each) => !gone.has(keyOf(each))));
  }

  async replace(entries: readonly Remembered[]): Promise<void> {
    await ensureDirectory(dirname(this.#path));
    const text = entries.map((each) => `${JSON.stringify(each)}\n`).join('');
    await writeAtomically(this.#path, text, MODE, await ownerToKeep(this.#path));
  }
}

function keyOf({ repository, tag, digest }: Remembered): string {
  return JSON.stringify([repository, tag, digest]);
}
