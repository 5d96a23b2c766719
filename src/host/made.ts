import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { z } from 'zod';
import { Failure, isDenied } from '../errors.ts';
import { ownerToKeep, readIfExists, removeSynced, writeAtomically } from '../system/files.ts';
import { parseAs } from '../system/json.ts';
import {
  ensureFolderOfOwner,
  ensureWayTo,
  missingFolders,
  removeEmpty,
  replaceText,
  sweepTemporaries,
  textOf,
} from './made-files.ts';

const common = {
  /** Absolute. */
  path: z.string(),
  /** What it is for: only who made it takes it away. `trust/NAME` is a part of `trust`. */
  purpose: z.string(),
};
const file = z.object({
  ...common,
  /** SHA-256 of each content that was ever written there, hexadecimal. */
  contents: z.array(z.string()),
  /** The folders that were made for it, or for others before it. */
  folders: z.array(z.string()).default([]),
});
const lines = z.object({
  ...common,
  /** Each line that was ever put into a file that is somebody else's, such as /etc/hosts. */
  lines: z.array(z.string()),
});
const shape = z.array(z.union([file, lines]));

/** The list of another checkout; `undefined` when it is none. */
export function parseThings(text: string): readonly Thing[] | undefined {
  return parseAs(text, shape);
}

/** What Moorage made outside the checkout: a file, such as a CA in /etc/docker/certs.d, or a line in somebody's file. */
export type Thing = z.infer<typeof file> | z.infer<typeof lines>;

const NOTHING = { contents: [] as readonly string[], folders: [] as readonly string[] };

export interface Removed {
  /** Paths of files that were taken away, and of those that a line was taken out of. */
  readonly gone: readonly string[];
  /** Files that somebody has changed since: they stay. */
  readonly changed: readonly string[];
}

interface Removal {
  /** What stays although it has that purpose. */
  readonly keep?: (thing: Thing) => boolean;
  /**
   * What has to follow a removal, such as telling the service that reads the file. Things stay on the list until it has
   * ended, so that after a kill it is done again.
   */
  readonly settle?: (things: readonly Thing[]) => Promise<void>;
}

/**
 * What Moorage made on this machine outside its folder. It is written down before it is made, so that a run that was
 * killed leaves nothing that nobody knows of; and only what still is as it was made is taken away.
 */
export class Made {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws Failure `made-unreadable` */
  async all(): Promise<readonly Thing[]> {
    const text = await readIfExists(this.#path);
    if (text === undefined) return [];
    try {
      return shape.parse(JSON.parse(text));
    } catch (error) {
      throw new Failure(
        'made-unreadable',
        `${this.#path}, which lists what was made outside this folder, can't be read.`,
        'Restore it from a backup; or remove it, and take away by hand what docs/uninstall.md lists.',
        { cause: error },
      );
    }
  }

  /** What was made for a purpose, or for a part of it. */
  async for(purpose: string): Promise<readonly Thing[]> {
    return (await this.all()).filter((each) => serves(each, purpose));
  }

  /**
   * Writes a file, unless it is there with just that content.
   * @returns whether it had to be written
   * @throws Failure `foreign-file` when somebody else's is there, `root-needed`
   */
  async ensure(path: string, purpose: string, content: string, mode = 0o644): Promise<boolean> {
    const present = await textOf(path);
    if (typeof present === 'object') throw foreign(path);
    if (present === content) return false; // perhaps somebody else's: then it stays theirs
    const things = await this.all();
    const known = things.find((each) => each.path === path && 'contents' in each);
    const before = known !== undefined && 'contents' in known ? known : NOTHING;
    if (present !== undefined && !before.contents.includes(hashOf(present))) throw foreign(path);
    const contents = [...new Set([...before.contents, hashOf(content)])];
    const shared = things.flatMap((each) => ('folders' in each ? each.folders : []));
    const around = shared.filter((folder) => path.startsWith(`${folder}/`));
    const folders = [...new Set([...before.folders, ...around, ...(await missingFolders(dirname(path)))])];
    await this.#write([...things.filter((each) => each !== known), { path, purpose, contents, folders }]);
    await asRoot(path, async () => {
      await ensureWayTo(dirname(path));
      await writeAtomically(path, content, mode);
    });
    return true;
  }

  /**
   * Makes sure that a file, which is and stays somebody else's, has this line: in the place of what was put there for the
   * same purpose, else at its end.
   * @returns whether it had to be written
   * @throws Failure `root-needed`
   */
  async ensureLine(path: string, purpose: string, line: string): Promise<boolean> {
    const present = (await readIfExists(path)) ?? '';
    const things = await this.all();
    const known = things.find((each) => each.path === path && each.purpose === purpose);
    const before = known !== undefined && 'lines' in known ? known.lines : [];
    const text = present.split('\n');
    const stale = (each: string) => before.includes(each) && each !== line;
    if (text.includes(line) && !text.some(stale)) return false;
    const all = [...new Set([...before, line])];
    await this.#write([...things.filter((each) => each !== known), { path, purpose, lines: all }]);
    const place = text.findIndex(stale);
    const rest = text.filter((each) => !all.includes(each));
    const end = rest.at(-1) === '' ? rest.length - 1 : rest.length;
    const next = rest.toSpliced(place < 0 ? end : place, 0, line);
    const content = next.at(-1) === '' ? next.join('\n') : `${next.join('\n')}\n`;
    await asRoot(path, () => replaceText(path, content));
    return true;
  }

  /** Takes away what was made for a purpose, and for its parts. */
  async remove(purpose: string, { keep = () => false, settle }: Removal = {}): Promise<Removed> {
    const gone: string[] = [];
    const changed: string[] = [];
    const things = (await this.for(purpose)).filter((each) => !keep(each));
    for (const each of things) {
      const outcome = await asRoot(each.path, () => takeAway(each));
      if (outcome === 'gone') gone.push(each.path);
      if (outcome === 'changed') changed.push(each.path);
    }
    await asRoot(this.#path, () =>
      removeEmpty(things.flatMap((each) => ('folders' in each ? each.folders : []))),
    );
    if (things.length > 0) {
      await settle?.(things);
      const same = (one: Thing) =>
        things.some(({ path, purpose: other }) => one.path === path && one.purpose === other);
      await this.#write((await this.all()).filter((each) => !same(each)));
    }
    return { gone, changed };
  }

  async #write(things: readonly Thing[]): Promise<void> {
    await ensureFolderOfOwner(dirname(this.#path));
    if (things.length === 0) await removeSynced(this.#path);
    else
      await writeAtomically(
        this.#path,
        `${JSON.stringify(things, null, 2)}\n`,
        0o644,
        await ownerToKeep(this.#path),
      );
  }
}

/** Whether something was made for that, or for a part of it. */
export function serves({ purpose: one }: Thing, purpose: string): boolean {
  return one === purpose || one.startsWith(`${purpose}/`);
}

async function takeAway(thing: Thing): Promise<'gone' | 'changed' | 'absent'> {
  const present = await textOf(thing.path);
  if (typeof present === 'object') return 'changed';
  if ('lines' in thing) {
    const text = present?.split('\n') ?? [];
    const rest = text.filter((each) => !thing.lines.includes(each));
    if (rest.length === text.length) return 'absent';
    await replaceText(thing.path, rest.join('\n'));
    return 'gone';
  }
  await sweepTemporaries(thing.path);
  if (present !== undefined && !thing.contents.includes(hashOf(present))) return 'changed';
  if (present !== undefined) await removeSynced(thing.path);
  return present === undefined ? 'absent' : 'gone';
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function foreign(path: string): Failure {
  return new Failure(
    'foreign-file',
    `${path} is there already, and Moorage did not write it.`,
    'Look at it; if it is not needed, remove it and run this again.',
  );
}

async function asRoot<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isDenied(error)) throw error;
    const message = `${path} belongs to root.`;
    throw new Failure('root-needed', message, 'Run this as root (sudo).', { cause: error });
  }
}
