import { appendFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { ensureDirectory, ownerToKeep, readIfExists, writeAtomically } from './files.ts';
import { parseAs } from './json.ts';

const MODE = 0o600;

/** How many lines stay when the file is larger than so many bytes. */
export interface Rotation {
  readonly kept: number;
  readonly above: number;
}

/**
 * A file (0600) of JSON objects, one a line, of which the newest stay. For what nothing hangs on: a line that a kill or a full
 * disk left half written costs itself alone, and the last line before a power cut may be lost.
 */
export class RecentLines<T> {
  readonly #path: string;
  readonly #shape: z.ZodType<T>;
  readonly #rotation: Rotation;

  constructor(path: string, shape: z.ZodType<T>, rotation: Rotation) {
    this.#path = path;
    this.#shape = shape;
    this.#rotation = rotation;
  }

  /** In the order they were written. Lines that can't be read are left out. */
  async read(): Promise<T[]> {
    return readable(await readLines(this.#path), this.#shape);
  }

  async add(value: T): Promise<void> {
    const line = `${JSON.stringify(value)}\n`;
    const before = (await readIfExists(this.#path)) ?? '';
    if (before.endsWith('\n') && before.length <= this.#rotation.above)
      return appendFile(this.#path, line, { mode: MODE });
    await ensureDirectory(dirname(this.#path));
    const kept = linesOf(before).slice(-this.#rotation.kept);
    await writeAtomically(this.#path, [...kept, line].join('\n'), MODE, await ownerToKeep(this.#path));
  }
}

/** The lines of a file that has something in them; none where there is no file. */
export async function readLines(path: string): Promise<string[]> {
  return linesOf((await readIfExists(path)) ?? '');
}

/** What the lines say that say something of this shape. */
export function readable<T>(lines: readonly string[], shape: z.ZodType<T>): T[] {
  return lines.map((line) => parseAs(line, shape)).filter((value) => value !== undefined);
}

function linesOf(text: string): string[] {
  return text.split('\n').filter(Boolean);
}
