import { lstat, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Paths } from '../paths.ts';
import { NEW_MARK, OLD_MARK } from '../storage/old-places.ts';
import type { Run } from '../system/processes.ts';
import type { DataFound, FileFound } from './found.ts';

/** distribution's folders, from the one that the settings name. */
const DISTRIBUTION = ['docker', 'registry', 'v2'];
/** Of the mirror: what distribution remembers of when things lapse. */
const SCHEDULER = 'scheduler-state.json';
/** What a restore is fetching, and what there was before one. */
const OF_RESTORE = /^(\.moorage-restore|before-restore-.+)$/;
const WHOLE: readonly string[] = ['.moorage-restore', SCHEDULER, OLD_MARK, NEW_MARK];
/** What writing `.env` leaves when it is killed; see `writeAtomically`. */
const HALF_WRITTEN = /^\.\.env\.[0-9a-f]{12}$/;
export const LOCKS = 'locks';

/** What distribution wrote in a folder, and nothing else that is there. */
export async function findData(run: Run, folder: string): Promise<DataFound> {
  const root = await realpath(folder).catch(() => folder);
  const names = await readdir(root).catch((): string[] => []);
  const stages = names.filter((name) => OF_RESTORE.test(name));
  const places = ['', ...stages.filter((name) => name !== '.moorage-restore')];
  const found = await Promise.all(places.map((place) => distributionIn(root, place)));
  const wholes = names.filter((name) => WHOLE.includes(name));
  const trees = [...found.flatMap(({ tree }) => tree), ...wholes.map((name) => join(root, name))];
  return {
    root,
    trees: await Promise.all(trees.map((path) => measured(run, path))),
    links: found.flatMap(({ link }) => link),
  };
}

export function findUsers(run: Run, paths: Paths): Promise<FileFound[]> {
  const stays = (name: string) => name === '.gitkeep' || name.endsWith('.example');
  return contents(run, join(paths.usersFile, '..'), stays);
}

/** Locks are held by whoever looks. */
export function findState(run: Run, { state }: Paths): Promise<FileFound[]> {
  return contents(run, state, (name) => name === LOCKS);
}

export async function findSettings(run: Run, { root, envFile }: Paths): Promise<FileFound[]> {
  const copies = (await readdir(root)).filter((name) => HALF_WRITTEN.test(name));
  const all = [...copies.map((name) => join(root, name)), envFile];
  const there = await Promise.all(all.map(async (path) => ((await facts(path)) ? [path] : [])));
  return Promise.all(there.flat().map((path) => measured(run, path)));
}

/** Whether the way from `root` into it goes over a link. */
async function distributionIn(root: string, place: string) {
  let path = join(root, place);
  for (const name of DISTRIBUTION) {
    path = join(path, name);
    const there = await facts(path);
    if (there === undefined) return { tree: [], link: [] };
    if (there.isSymbolicLink()) return { tree: [], link: [path] };
  }
  return { tree: [path], link: [] };
}

/** A folder that is a link is one thing that is found; else what is in it. */
async function contents(run: Run, folder: string, stays: (name: string) => boolean): Promise<FileFound[]> {
  if ((await facts(folder))?.isSymbolicLink()) return [{ path: folder, bytes: 0, link: true }];
  const names = (await readdir(folder).catch((): string[] => [])).filter((name) => !stays(name)).sort();
  return Promise.all(names.map((name) => measured(run, join(folder, name))));
}

/** A link in a folder of ours is ours, and goes. */
async function measured(run: Run, path: string): Promise<FileFound> {
  const { stdout } = await run('du', ['-skx', '--', path]); // what it may not look into it leaves out
  return { path, bytes: (Number.parseInt(stdout, 10) || 0) * 1024, link: false };
}

function facts(path: string) {
  return lstat(path).catch(() => undefined);
}
