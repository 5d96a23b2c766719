import { constants } from 'node:fs';
import { access, readdir, stat, statfs } from 'node:fs/promises';
import { Failure, messageOf, systemCode } from '../errors.ts';
import { type DiskState, sizeInWords } from '../low-water.ts';
import type { Paths } from '../paths.ts';
import { type Done, unchanged } from '../step.ts';
import { ensureDirectory } from '../system/files.ts';

/** What the state of one registry needs at the least; images come on top of it. */
const LEAST_FREE = 200 * 1024 * 1024;

/**
 * Makes the folders that the parts mount, so that they belong to whoever runs this and not to the engine.
 * @throws Failure `not-writable`, `disk-full`
 */
export async function ensureFolders(paths: Paths, dataDirectory: string): Promise<Done> {
  const folders = [
    [paths.state, 0o755],
    [paths.certificates, 0o755],
    [paths.challenges, 0o755],
    [paths.certbot, 0o700],
    [paths.acme, 0o700],
    [paths.gate, 0o700],
    [dataDirectory, 0o755],
  ] as const;
  for (const [folder, mode] of folders) await ensureFolder(folder, mode);
  for (const folder of [paths.state, dataDirectory]) await expectSpace(folder);
  return unchanged(dataDirectory);
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
    `Run it as its owner: sudo -u '#${facts.uid}' npm run …`,
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
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= LEAST_FREE) return;
  throw new Failure(
    'disk-full',
    `Only ${Math.round((bavail * bsize) / 1024 / 1024)} MB are free under ${folder}.`,
    'Free at least 200 MB, or put the images on another disk by REGISTRY_DATA_DIR, then run this again.',
  );
}

/**
 * A disk that has less free than DISK_RESERVE takes no push, the proof's neither. It may have become so: then it is
 * said, and init-tls goes on.
 * @throws Failure `disk-full` before there is any image
 */
export async function expectRoom(folder: string, disk: DiskState): Promise<Done> {
  if (disk.kind !== 'low') return unchanged(folder);
  const figures = `${sizeInWords(disk.free)} free under ${folder}, and ${sizeInWords(disk.mark)} are kept free`;
  if ((await readdir(folder)).length > 0) return unchanged(`${folder}; only ${figures}: pushes are refused`);
  throw new Failure(
    'disk-full',
    `There are only ${figures}: the registry would take no push.`,
    'Free space, put the images on a larger disk by REGISTRY_DATA_DIR, or keep less free by DISK_RESERVE, then run this again.',
  );
}
