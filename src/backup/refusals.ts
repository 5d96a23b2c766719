import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Problem, WrongInput } from '../errors.ts';
import type { Paths } from '../paths.ts';
import type { BackupTarget } from '../settings/backup-target.ts';
import type { Settings } from '../settings/settings.ts';
import { readIfExists } from '../system/files.ts';

/**
 * Whether there is something to back up, and whether all of it can be.
 * @throws WrongInput
 */
export async function expectBackable(
  { envFile, backups }: Pick<Paths, 'envFile' | 'backups'>,
  { storage, registryDataDirectory }: Settings,
  target: BackupTarget,
  settingsOnly: boolean,
): Promise<void> {
  const problems: Problem[] = [];
  if ((await readIfExists(envFile)) === undefined)
    problems.push({
      input: '.env',
      message: 'is not there: there is no registry yet. Run: npm run init-tls',
    });
  if (storage.kind === 's3' && !settingsOnly)
    problems.push({
      input: 'STORAGE',
      message:
        'the images are in a bucket, which this does not back up: let the bucket keep versions and a copy of itself elsewhere; --settings-only backs up all the rest',
    });
  if (storage.kind === 'filesystem' && settingsOnly)
    problems.push({ input: '--settings-only', message: 'is for STORAGE=s3; a restore would have no images' });
  const own = [
    `${registryDataDirectory}/docker/`,
    `${registryDataDirectory}/.moorage-restore/`,
    `${backups}/`,
  ];
  if (target.kind === 'folder' && own.some((folder) => `${target.folder}/`.startsWith(folder)))
    problems.push({ input: 'TARGET', message: `"${target.shown}" is among the registry’s own files` });
  if (problems.length > 0) throw new WrongInput(problems);
}

/** Whether one disk that fails takes images and backups with it. */
export async function isOnSameDisk(
  target: BackupTarget,
  { registryDataDirectory }: Settings,
): Promise<boolean> {
  if (target.kind !== 'folder') return false;
  const [ours, theirs] = await Promise.all([deviceOf(registryDataDirectory), deviceOf(target.folder)]);
  return ours === theirs;
}

/** Of the folder that is there, or will be made in. */
async function deviceOf(folder: string): Promise<number> {
  const facts = await stat(folder).catch(() => undefined);
  return facts?.dev ?? deviceOf(dirname(folder));
}
