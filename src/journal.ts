import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { Failure } from './errors.ts';
import type { Clock } from './system/clock.ts';
import { ensureDirectory, ownerToKeep, readIfExists, removeSynced, writeAtomically } from './system/files.ts';

const shape = z.object({
  /** When the command began. */
  since: z.coerce.date(),
  /** The step that was begun last; it may be done, half done or not begun in truth. */
  step: z.string(),
  /** What the next run has to know, as the command said when it began. */
  facts: z.record(z.string(), z.string()),
});

export type Entry = z.infer<typeof shape>;

const MODE = 0o600;

/**
 * How far a command of several steps has come, on the disk before each step begins: a run that was killed is ended by
 * the next one. There is a file only while a command is at work, or was interrupted.
 */
export class Journal {
  readonly #path: string;
  readonly #clock: Clock;
  #entry: Entry | undefined;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** What a run left that did not come to its end. A file that can't be read counts as one that knows nothing. */
  async interrupted(): Promise<Entry | undefined> {
    const text = await readIfExists(this.#path);
    if (text === undefined) return undefined;
    try {
      return shape.parse(JSON.parse(text));
    } catch {
      return { since: this.#clock.now(), step: '', facts: {} };
    }
  }

  async begin(facts: Entry['facts'] = {}): Promise<void> {
    await this.#write({ since: this.#clock.now(), step: '', facts });
  }

  /** @throws when nothing was begun */
  async reach(step: string): Promise<void> {
    const entry = this.#entry ?? (await this.interrupted());
    if (entry === undefined) throw new Error(`${step}: nothing was begun`);
    await this.#write({ ...entry, step });
  }

  async end(): Promise<void> {
    this.#entry = undefined;
    await removeSynced(this.#path);
  }

  async #write(entry: Entry): Promise<void> {
    await ensureDirectory(dirname(this.#path));
    await writeAtomically(this.#path, JSON.stringify(entry), MODE, await ownerToKeep(this.#path));
    this.#entry = entry;
  }
}

/** A command that has begun and not ended: it is at work, or was interrupted. */
export interface Unfinished extends Entry {
  /** `npm run NAME` */
  readonly command: string;
  /** When it last got on: it writes its journal anew at each step. */
  readonly reached: Date;
}

/** What brings a command to its end that was interrupted. */
export function again({ command }: Pick<Unfinished, 'command'>): string {
  return command === 'storage' ? 'npm run storage -- move' : `npm run ${command}`;
}

/**
 * Nothing else may be half done.
 * @param journals by the name of their command
 * @throws Failure `interrupted`
 */
export async function expectNothingInterrupted(
  journals: Readonly<Record<string, Pick<Journal, 'interrupted'>>>,
): Promise<void> {
  for (const [command, journal] of Object.entries(journals)) {
    if ((await journal.interrupted()) === undefined) continue;
    // It may need what it keeps away: a restore where an image is damaged, fewer images where there is no room.
    const otherwise = command === 'storage' ? ' To give it up instead: npm run storage -- cancel' : '';
    throw new Failure(
      'interrupted',
      `A run of npm run ${command} was interrupted.`,
      `Run \`${again({ command })}\` first: it ends what was begun.${otherwise}`,
    );
  }
}

const FILE = /^([a-z][a-z-]{0,30})\.json$/;

/** All there are in a folder of journals, by name. */
export async function unfinishedCommands(folder: string, clock: Clock): Promise<Unfinished[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const commands = names.flatMap((name) => FILE.exec(name)?.[1] ?? []).sort();
  const found = await Promise.all(
    commands.map(async (command) => {
      const path = join(folder, `${command}.json`);
      const facts = await stat(path).catch(() => undefined);
      if (facts?.isFile() !== true) return []; // it came to its end just now
      const unreadable: Entry = { since: facts.mtime, step: '', facts: {} };
      const entry = await new Journal(path, clock).interrupted().catch(() => unreadable);
      return entry === undefined ? [] : [{ ...entry, command, reached: facts.mtime }];
    }),
  );
  return found.flat();
}
