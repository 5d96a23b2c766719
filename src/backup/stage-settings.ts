import { lchown, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Paths } from '../paths.ts';
import { writeOwn } from '../settings/env-file.ts';
import { changed, type Done } from '../step.ts';
import type { Restic } from './restic.ts';
import { SETTINGS } from './set-aside.ts';
import type { Snapshot } from './snapshots.ts';

/** Users, certificates and settings as they will be in the checkout. */
export function settingsStage({ backups }: Paths): string {
  return join(backups, 'restore', SETTINGS);
}

export function stagedEnvFile(paths: Paths): string {
  return join(settingsStage(paths), '.env');
}

interface Here {
  /** Where images are to be on this machine, if not where they were. */
  readonly dataDir?: string | undefined;
}

/** Takes them out of a snapshot, for whoever runs this. */
export async function stageSettings(
  restic: Restic,
  { id }: Snapshot,
  paths: Paths,
  { dataDir }: Here,
): Promise<Done> {
  const folder = join(paths.backups, 'restore');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await restic.ask(['restore', id, '--target', folder, '--include', `/${SETTINGS}`]);
  await own(folder);
  if (dataDir !== undefined) await writeOwn(stagedEnvFile(paths), { REGISTRY_DATA_DIR: dataDir });
  return changed('users, certificates and settings fetched');
}

/** Nothing secret stays behind of what is not restored. */
export async function discardSettings(paths: Paths): Promise<void> {
  await rm(dirname(settingsStage(paths)), { recursive: true, force: true });
}

/** restic gives root what was root's there, or somebody's who is somebody else here. */
async function own(folder: string): Promise<void> {
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  if (uid !== 0 || gid === undefined) return;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    await lchown(path, uid, gid);
    if (entry.isDirectory()) await own(path); // not over a link, as readdir’s own way down does
  }
}
