import { constants } from 'node:fs';
import { access, chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, messageOf, systemCode } from '../errors.ts';
import { ensureDirectory } from '../system/files.ts';
import { missingDisk } from '../system/mounts.ts';

/** Where distribution keeps everything, within its folder. */
const IMAGES = 'docker/registry/v2/repositories';

/**
 * Makes sure that the folder is there, on its disk, and takes files. Free space is looked at with the other folders.
 * @throws Failure `disk-missing`, `read-only`, `not-writable`
 */
export async function expectDataDirectory(folder: string): Promise<void> {
  const point = await missingDisk(folder);
  if (point !== undefined)
    throw new Failure(
      'disk-missing',
      `${folder} should be on the disk that /etc/fstab mounts at ${point}, and that is not mounted.`,
      `sudo mount ${quoted(point)}, then run this again. Images pushed now would be hidden by it later.`,
    );
  try {
    await ensureDirectory(folder);
    await access(folder, constants.W_OK);
    await shareWithRegistry(folder);
  } catch (error) {
    throw await unfit(folder, error);
  }
}

/** Whether images were ever pushed there. */
export async function holdsImages(folder: string): Promise<boolean> {
  const names = await readdir(join(folder, IMAGES)).catch(() => []);
  return names.length > 0;
}

/** Whether a registry has its images there, be it that the last of them was collected; the folder below a disk has nothing. */
export async function isInUse(folder: string): Promise<boolean> {
  return (await readdir(join(folder, IMAGES)).catch(() => undefined)) !== undefined;
}

/** For its group, and for that of all that is made in it (inode(7), S_ISGID). */
const GROUP_WRITES = 0o2070;

/**
 * The registry writes as root. Where somebody else runs this, who has a group of their own, that group may change what the
 * registry writes from now on: tags could be removed by root alone else.
 */
async function shareWithRegistry(folder: string): Promise<void> {
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  const facts = await stat(folder);
  const own = uid !== 0 && uid === gid && facts.uid === uid && facts.gid === gid;
  if (own && (facts.mode & GROUP_WRITES) !== GROUP_WRITES) await chmod(folder, facts.mode | GROUP_WRITES);
}

async function unfit(folder: string, cause: unknown): Promise<Failure> {
  const code = systemCode(cause);
  if (code === 'EROFS')
    return new Failure(
      'read-only',
      `REGISTRY_DATA_DIR ${folder} is on a file system that is mounted read-only.`,
      'Mount it for writing (a disk with errors is mounted so by itself: look into dmesg), then run this again.',
      { cause },
    );
  if (code === 'ENOTDIR' || code === 'EEXIST')
    return new Failure('not-writable', `REGISTRY_DATA_DIR ${folder} is not a folder.`, 'Name a folder.', {
      cause,
    });
  const owner = await stat(folder).catch(() => undefined);
  const whose =
    owner === undefined
      ? messageOf(cause)
      : `it belongs to user ${owner.uid}, and this runs as ${process.getuid?.()}`;
  return new Failure(
    'not-writable',
    `REGISTRY_DATA_DIR ${folder} can't be written to: ${whose}.`,
    owner === undefined
      ? 'Make it, or name another folder, then run this again.'
      : `sudo chown ${process.getuid?.()}:${process.getgid?.()} ${quoted(folder)}, then run this again.`,
    { cause },
  );
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path}'`;
}
