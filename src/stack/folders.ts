import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { Failure, messageOf, systemCode } from '../errors.ts';
import { sizeInWords } from '../low-water.ts';
import type { Paths } from '../paths.ts';
import type { Settings } from '../settings/settings.ts';
import { type Done, unchanged } from '../step.ts';
import { expectDataDirectory } from '../storage/data-directory.ts';
import { diskOf } from '../system/disk.ts';
import { ensureDirectory } from '../system/files.ts';

/** What the state of one registry needs at the least; images come on top of it. */
const LEAST_FREE = 200 * 1024 * 1024;

/**
 * Makes the folders that the parts mount, so that they belong to whoever runs this and not to the engine.
 * @throws Failure `not-writable`, `disk-full`, and those of the folder for images, where that is on this machine
 */
export async function ensureFolders(
  paths: Paths,
  { storage, registryDataDirectory, mirror }: Pick<Settings, 'storage' | 'registryDataDirectory' | 'mirror'>,
): Promise<Done> {
  const folders = [
    [paths.state, 0o755],
    [paths.certificates, 0o755],
    [paths.challenges, 0o755],
    [paths.certbot, 0o700],
    [paths.acme, 0o700],
    [paths.gate, 0o700],
    [paths.maintenance, 0o755],
    [paths.metrics, 0o755],
  ] as const;
  for (const [folder, mode] of folders) await ensureFolder(folder, mode);
  if (mirror !== undefined) await ensureFolder(mirror.dataDirectory, 0o755);
  const images = storage.kind === 'filesystem' ? [registryDataDirectory] : [];
  for (const folder of images) await expectDataDirectory(folder);
  for (const folder of [paths.state, ...images]) await expectSpace(folder);
  return unchanged(paths.state);
}

/**
 * What one user writes here another one can't read: a key of root's would keep the renewer of somebody else from
 * renewing.
 * @throws Failure `foreign-state`
 */
export async function expectOwnState({ state }: Paths): Promise<void> {
  const facts = await stat(state).catch(() => undefined);
  const mine = process.getuid?.();
  if (facts === undefined || mine === undefined || facts.uid === mine) return;
  throw new Failure(
    'foreign-state',
    `${state} belongs to user ${facts.uid}, and this runs as user ${mine}.`,
    `Run it as its owner: sudo ${facts.uid === 0 ? '' : `-u '#${facts.uid}' `}npm run …`,
  );
}

async function ensureFolder(folder: string, mode: number): Promise<void> {
  try {
    await ensureDirectory(folder, mode);
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new Failure(
      'not-writable',
      `${folder} can't be written to: ${systemCode(error) ?? messageOf(error)}.`,
      'Give it to the user that runs this, or clone the project to a place that can be written to.',
      { cause: error },
    );
  }
}

async function expectSpace(folder: string): Promise<void> {
  const { free } = await diskOf(folder);
  if (free >= LEAST_FREE) return;
  throw new Failure(
    'disk-full',
    `Only ${sizeInWords(free)} are free under ${folder}.`,
    'Free at least 200 MiB, or put the images on another disk by REGISTRY_DATA_DIR, then run this again.',
  );
}
