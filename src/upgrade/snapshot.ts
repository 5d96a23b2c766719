import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Engine } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import type { Paths } from '../paths.ts';
import type { Clock } from '../system/clock.ts';
import { ensureDirectory, readIfExists, writeAtomically } from '../system/files.ts';
import type { Run } from '../system/processes.ts';

const named = z.object({ reference: z.string(), id: z.string() });
const ran = named.extend({ version: z.string().optional() });

const shape = z.object({
  /** Of its folder: when it was taken. */
  name: z.string(),
  /** Commit of the checkout, where there is one. */
  revision: z.string().optional(),
  /** What each role ran on. */
  images: z.record(z.string(), ran),
  /** Other names that the upgrade may give to other images. */
  others: z.array(named),
  /** Whether the upgrade from here succeeded: then one can go back to it later. */
  left: z.boolean(),
});

/** What an upgrade can go back to. */
export type Snapshot = z.infer<typeof shape>;

const FILE = 'snapshot.json';
const KEEPER = 'moorage/kept';
const PRIVATE = { folder: 0o700, file: 0o600 };
/** They hold secrets, and hashes of passwords that may be gone. */
const BACKUPS = 5;

interface Tools {
  readonly engine: Engine;
  readonly run: Run;
  readonly paths: Paths;
  readonly clock: Clock;
}

export function snapshotsFolder({ state }: Pick<Paths, 'state'>): string {
  return join(state, 'upgrade');
}

/**
 * Copies the settings and the users, notes which images run, and gives these a name of their own, so that nothing takes
 * them away.
 */
export async function takeSnapshot(
  { engine, run, paths, clock }: Tools,
  project: string,
  { images, others }: Pick<Snapshot, 'images' | 'others'>,
): Promise<Snapshot> {
  const name = clock
    .now()
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, '')
    .replace('T', '-');
  const folder = join(snapshotsFolder(paths), name);
  await ensureDirectory(folder, PRIVATE.folder);
  await copyPrivately(paths.envFile, join(folder, 'env'));
  for (const file of [paths.usersFile, paths.accessFile, paths.tokensFile])
    await copyPrivately(file, join(folder, file.slice(file.lastIndexOf('/') + 1)));
  for (const [role, { id }] of Object.entries(images))
    await engine.images.tag(id, keeper(project, name, role));
  const git = await run('git', ['-C', paths.root, 'rev-parse', 'HEAD']);
  const revision = git.exitCode === 0 ? git.stdout.trim() : undefined;
  const snapshot = { name, ...(revision === undefined ? {} : { revision }), images, others, left: false };
  await write(paths, snapshot);
  return snapshot;
}

export async function readSnapshot(paths: Pick<Paths, 'state'>, name: string): Promise<Snapshot | undefined> {
  const text = await readIfExists(join(snapshotsFolder(paths), name, FILE));
  return text === undefined ? undefined : shape.parse(JSON.parse(text));
}

/** @throws Failure `no-backup` */
export async function expectSnapshot(paths: Pick<Paths, 'state'>, name: string): Promise<Snapshot> {
  const snapshot = await readSnapshot(paths, name);
  if (snapshot !== undefined) return snapshot;
  throw new Failure(
    'no-backup',
    `The backup ${name || 'of an interrupted upgrade'} is not there any more.`,
    'Remove var/journal/upgrade.json, set what is to run in .env, then run `npm run init-tls`.',
  );
}

/** The last state that was left by an upgrade that succeeded. */
export async function lastLeft(paths: Pick<Paths, 'state'>): Promise<Snapshot | undefined> {
  for (const name of (await names(paths)).reverse()) {
    const snapshot = await readSnapshot(paths, name);
    if (snapshot?.left) return snapshot;
  }
  return undefined;
}

export async function markLeft(paths: Pick<Paths, 'state'>, snapshot: Snapshot): Promise<void> {
  await write(paths, { ...snapshot, left: true });
}

/** Lets go of the images: what ran runs again. The settings stay for a person to look at. */
export async function releaseImages(
  { engine, paths }: Pick<Tools, 'engine' | 'paths'>,
  project: string,
  { name }: Pick<Snapshot, 'name'>,
): Promise<void> {
  await dropKeepers(engine, project, (generation) => generation === name);
  await pruneBackups(paths, (await lastLeft(paths))?.name);
}

/** Forgets a snapshot that nobody needs: nothing came of its upgrade. */
export async function dropSnapshot(
  { engine, paths }: Pick<Tools, 'engine' | 'paths'>,
  project: string,
  { name }: Pick<Snapshot, 'name'>,
): Promise<void> {
  await dropKeepers(engine, project, (generation) => generation === name);
  if (name !== '') await rm(join(snapshotsFolder(paths), name), { recursive: true, force: true });
}

/** Keeps the images of one generation alone, and the settings of the last few. */
export async function keepOnly(
  { engine, paths }: Pick<Tools, 'engine' | 'paths'>,
  project: string,
  kept: Snapshot,
): Promise<void> {
  await dropKeepers(engine, project, (generation) => generation !== kept.name);
  await pruneBackups(paths, kept.name);
}

async function pruneBackups(paths: Pick<Paths, 'state'>, except: string | undefined): Promise<void> {
  for (const name of (await names(paths)).slice(0, -BACKUPS))
    if (name !== except) await rm(join(snapshotsFolder(paths), name), { recursive: true, force: true });
}

async function dropKeepers(engine: Engine, project: string, drops: (name: string) => boolean): Promise<void> {
  const prefix = `${KEEPER}:${keeperTag(project, '')}`;
  for (const { reference } of await engine.images.ofRepository(KEEPER)) {
    const [generation = ''] = reference.startsWith(prefix) ? reference.slice(prefix.length).split('.') : [];
    if (generation !== '' && drops(generation)) await engine.images.remove(reference).catch(() => undefined); // in use
  }
}

function keeper(project: string, name: string, role: string): string {
  return `${KEEPER}:${keeperTag(project, name)}.${role}`;
}

/** A tag has 128 characters at most (docker/distribution reference grammar). */
function keeperTag(project: string, name: string): string {
  return `${project.slice(0, 80)}.${name}`;
}

async function names(paths: Pick<Paths, 'state'>): Promise<string[]> {
  const found = await readdir(snapshotsFolder(paths)).catch(() => []);
  return found.filter((name) => /^\d{8}-\d{6}Z$/.test(name)).sort();
}

async function write(paths: Pick<Paths, 'state'>, snapshot: Snapshot): Promise<void> {
  const text = `${JSON.stringify(snapshot, null, 2)}\n`;
  await writeAtomically(join(snapshotsFolder(paths), snapshot.name, FILE), text, PRIVATE.file);
}

async function copyPrivately(from: string, to: string): Promise<void> {
  const text = await readIfExists(from);
  if (text !== undefined) await writeAtomically(to, text, PRIVATE.file);
}
