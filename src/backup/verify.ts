import { counted } from '../counted.ts';
import { Failure } from '../errors.ts';
import { sizeInWords } from '../low-water.ts';
import { type Done, type Report, unchanged } from '../step.ts';
import { readAboutOf, readLinksOf } from './extract.ts';
import { Inspection } from './inspection.ts';
import type { Restic } from './restic.ts';
import { type Size, sampleOf } from './sample.ts';
import type { Snapshot } from './snapshots.ts';

export interface Verified {
  /** With what belongs to them: the images of an index, signatures. */
  readonly images: number;
  readonly files: number;
  readonly bytes: number;
}

const NAMED = 20;

/** What restic itself finds wrong with the repository, without reading the content; `undefined`: nothing. */
export async function checkRepository(restic: Restic): Promise<Done<Failure | undefined>> {
  try {
    await restic.ask(['unlock']);
    await restic.ask(['check']);
    return unchanged('every part of every backup is there', undefined);
  } catch (error) {
    if (!(error instanceof Failure && ['backup-damaged', 'restic-failed'].includes(error.code))) throw error;
    return unchanged('DAMAGED', error);
  }
}

/**
 * Takes images out of a backup, by chance, and computes the digests of all that belongs to them.
 * @param found what is wrong with the repository already
 * @throws Failure `backup-damaged`, naming the images
 */
export async function verifySample(
  restic: Restic,
  snapshot: Snapshot,
  { size, folder, random }: { size: Size; folder: string; random: () => number },
  found: Failure | undefined,
  report: Report,
): Promise<Done<Verified>> {
  const { dataDirectory } = await readAboutOf(restic, snapshot);
  if (dataDirectory === undefined) {
    if (found !== undefined) throw found;
    return unchanged('none in it: they are in a bucket', { images: 0, files: 0, bytes: 0 });
  }
  report('taking the list of images out');
  const links = await readLinksOf(restic, snapshot, folder);
  const sample = sampleOf(links, size, random);
  const inspection = new Inspection(restic, snapshot, folder, links);
  await inspection.inspect(sample, report);
  const { damaged, files, bytes } = inspection;
  if (damaged.size === 0 && found !== undefined) throw found;
  if (damaged.size === 0)
    return unchanged(`${inImages(sample.length)}, ${sizeInWords(bytes)}: every digest is right`, {
      images: sample.length,
      files,
      bytes,
    });
  const names = [...damaged].slice(0, NAMED).map(([digest, name]) => `  ${name}: ${digest}`);
  const more = damaged.size > NAMED ? [`  and ${damaged.size - NAMED} more`] : [];
  throw new Failure(
    'backup-damaged',
    `Of backup ${snapshot.shortId} these are missing or not what they were:\n${[...names, ...more].join('\n')}`,
    'See what older ones have (--list, --snapshot), and back up to another place while the registry still has them.',
  );
}

function inImages(many: number): string {
  return counted(many, 'image');
}
