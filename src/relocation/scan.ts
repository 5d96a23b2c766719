import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Failure, systemCode } from '../errors.ts';

/** What distribution writes is below this, in its root directory. */
export const ROOT = 'docker/registry/v2';

/** How a file is called while it is copied. */
export const HALF = '.moorage-copy';

export interface FileFacts {
  readonly bytes: number;
  /** ms since 1970. */
  readonly written: number;
}

export function factsOf({ size, mtimeMs }: Stats): FileFacts {
  return { bytes: size, written: mtimeMs };
}

/** All that distribution has written, without uploads on their way. Paths are below its root directory. */
export interface Scan {
  readonly files: ReadonlyMap<string, FileFacts>;
  /** Parents before what is in them. */
  readonly folders: ReadonlySet<string>;
  /** What a copying that was killed left half made. */
  readonly halves: readonly string[];
  readonly bytes: number;
}

/** After so many folders timers get their turn: whoever holds a lease has to touch it each second. */
const BETWEEN_TURNS = 500;

/**
 * Looks at every file without reading it. What vanishes meanwhile may be in it or not.
 * @throws Failure `foreign-files` for links and devices: what they stand for would not come along
 */
export async function scan(directory: string): Promise<Scan> {
  const files = new Map<string, FileFacts>();
  const folders = new Set<string>();
  const halves: string[] = [];
  const waiting = above(ROOT).filter((path) => isFolder(directory, path));
  let looked = 0;
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    folders.add(path);
    if (path.endsWith('/_uploads') || (path !== ROOT && ROOT.startsWith(path))) continue;
    for (const name of namesIn(join(directory, path))) {
      const inner = `${path}/${name}`;
      const facts = statOf(join(directory, inner));
      if (facts === undefined) continue;
      if (facts.isDirectory()) waiting.push(inner);
      else if (facts.isFile() && name.endsWith(HALF)) halves.push(inner);
      else if (facts.isFile()) files.set(inner, factsOf(facts));
      else throw foreign(join(directory, inner));
    }
    looked += 1;
    if (looked % BETWEEN_TURNS === 0) await turn();
  }
  const bytes = [...files.values()].reduce((sum, each) => sum + each.bytes, 0);
  return { files, folders: new Set([...folders].sort()), halves, bytes };
}

/** `docker`, `docker/registry`, … */
function above(path: string): string[] {
  const names = path.split('/');
  return names.map((_, index) => names.slice(0, index + 1).join('/'));
}

function isFolder(directory: string, path: string): boolean {
  const facts = statOf(join(directory, path));
  if (facts === undefined || facts.isDirectory()) return facts !== undefined;
  throw foreign(join(directory, path));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function statOf(path: string) {
  try {
    return lstatSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function foreign(path: string): Failure {
  return new Failure(
    'foreign-files',
    `${path} is neither a file nor a folder: what it stands for would not come along.`,
    'Put what it leads to in its place, or take it away, then run this again.',
  );
}
