import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { sizeInWords } from '../low-water.ts';
import { diskOf } from '../system/disk.ts';
import { ABOUT, type About, parseAbout } from './about.ts';
import type { Link } from './links.ts';
import { LINKS_ARCHIVE, readArchive } from './links-archive.ts';
import type { Restic } from './restic.ts';
import type { Snapshot } from './snapshots.ts';

const LEFT_FREE = 200 * 1024 * 1024;

/** Takes single files out of a snapshot, into a folder that is gone afterwards. */
export async function withFiles<T>(
  restic: Restic,
  { id }: Snapshot,
  { paths, folder, bytes }: { paths: readonly string[]; folder: string; bytes: number },
  work: (folder: string) => Promise<T>,
): Promise<T> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const { free } = await diskOf(folder);
    if (free < bytes + LEFT_FREE)
      throw new Failure(
        'disk-full',
        `${sizeInWords(bytes)} have to be taken out of the backup to be looked at, and ${sizeInWords(free)} are free under ${folder}.`,
        'Free some space there, then run this again.',
      );
    const includes = paths.flatMap((path) => ['--include', `/${path}`]);
    try {
      await restic.ask(['restore', id, '--target', folder, ...includes]);
    } catch (error) {
      // What could not be read is missing in the folder, or is something else: that is found there.
      const damaged = error instanceof Failure && ['backup-damaged', 'restic-failed'].includes(error.code);
      if (!damaged) throw error;
    }
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws Failure `backup-foreign` when it was made by something newer, or not by this */
export async function readAboutOf(restic: Restic, { id, shortId }: Snapshot): Promise<About> {
  const { stdout } = await restic.ask(['dump', id, `/${ABOUT}`]);
  try {
    return parseAbout(stdout);
  } catch (cause) {
    throw new Failure(
      'backup-foreign',
      `What backup ${shortId} says about itself is not understood.`,
      'Restore it with the version of Moorage that made it, or by hand (docs/backup.md).',
      { cause },
    );
  }
}

/** @throws Failure `backup-damaged` */
export async function readLinksOf(
  restic: Restic,
  snapshot: Snapshot,
  folder: string,
): Promise<readonly Link[]> {
  const wanted = { paths: [LINKS_ARCHIVE], folder, bytes: 0 };
  return withFiles(restic, snapshot, wanted, async (place) => {
    try {
      return await readArchive(join(place, LINKS_ARCHIVE));
    } catch (cause) {
      throw new Failure(
        'backup-damaged',
        `The list of images in backup ${snapshot.shortId} can't be read.`,
        'Take an older one (--list, --snapshot), and make a new one in another place.',
        { cause },
      );
    }
  });
}
