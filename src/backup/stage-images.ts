import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { counted } from '../counted.ts';
import { Failure } from '../errors.ts';
import { FolderTree } from '../inventory/folder-tree.ts';
import { readInventory } from '../inventory/inventory.ts';
import { onDisk } from '../inventory/layout.ts';
import type { Entry } from '../journal.ts';
import { sizeInWords } from '../low-water.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import { expectDataDirectory } from '../storage/data-directory.ts';
import { diskOf } from '../system/disk.ts';
import type { About } from './about.ts';
import { incomplete } from './completeness.ts';
import { LINKS_ARCHIVE, readArchive, unpackLinks } from './links-archive.ts';
import type { Restic } from './restic.ts';
import type { Snapshot } from './snapshots.ts';

const IMAGES = 'images';
const LEFT_FREE = 200 * 1024 * 1024;

/** On the disk of the images, so that renames put them into place. */
export function imagesStage(data: string): string {
  return join(data, '.moorage-restore');
}

/**
 * Makes sure that the images fit. What an interrupted restore of the same backup has fetched is kept.
 * @throws Failure `disk-full`, and those of the folder
 */
export async function expectRoomFor(
  restic: Restic,
  { id }: Snapshot,
  data: string,
  before: Entry | undefined,
): Promise<Done> {
  await expectDataDirectory(data);
  const goesOn = before?.facts.snapshot === id && before.facts.data === data;
  if (goesOn) return unchanged('goes on where it stopped');
  for (const folder of [data, before?.facts.data ?? ''])
    if (folder !== '') await rm(imagesStage(folder), { recursive: true, force: true });
  const bytes = await restic.askJson(
    ['stats', '--mode', 'restore-size', id],
    (value) => z.object({ total_size: z.number() }).parse(value).total_size,
  );
  const { free } = await diskOf(data);
  if (free >= bytes + LEFT_FREE) return unchanged(`${sizeInWords(bytes)}; ${sizeInWords(free)} are free`);
  throw new Failure(
    'disk-full',
    `The backup has ${sizeInWords(bytes)}, and ${sizeInWords(free)} are free at ${data}.`,
    'Free some space, or name a folder on another disk: --data-dir /folder',
  );
}

/**
 * Takes the images out, and looks that everything that their manifests name is there.
 * @throws Failure `backup-damaged`, `disk-full`, and those of restic
 */
export async function stageImages(
  restic: Restic,
  { id, shortId }: Snapshot,
  { data, about }: { data: string; about: About },
  report: Report,
): Promise<Done> {
  const stage = imagesStage(data);
  await mkdir(stage, { recursive: true, mode: 0o755 });
  report('fetching');
  await restic.ask(['restore', id, '--target', stage, '--include', `/${IMAGES}`]).catch(localFull(data));
  const images = join(stage, IMAGES);
  await unpackLinks(await readArchive(join(stage, LINKS_ARCHIVE)), onDisk(images, ''));
  report('looking whether all is there');
  const tree = new FolderTree(images);
  const { repositories } = await readInventory(tree);
  const lacking = await incomplete(tree, { repositories });
  const lost = lacking.filter((name) => !about.incomplete.includes(name));
  if (lost.length > 0)
    throw new Failure(
      'backup-damaged',
      `Backup ${shortId} lacks something of: ${lost.slice(0, 10).join(', ')}`,
      'Restore an older one: --snapshot ID; see npm run backup -- TARGET --list',
    );
  const manifests = repositories.reduce((sum, each) => sum + each.manifests.size, 0);
  const before = lacking.length === 0 ? '' : `; ${lacking.length} WERE DAMAGED WHEN IT WAS MADE`;
  return changed(`${counted(manifests, 'manifest')} and all that is named there${before}`);
}

function localFull(data: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Failure && error.code === 'target-full')) throw error;
    throw new Failure('disk-full', `The disk of ${data} is full.`, 'Free some space, then run this again.', {
      cause: error,
    });
  };
}
