import { createHash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import type { Engine, Images } from '../engine/engine.ts';
import { Failure, systemCode, WrongInput } from '../errors.ts';
import { sizeInWords } from '../low-water.ts';
import type { Settings } from '../settings/settings.ts';
import type { Report } from '../step.ts';
import { diskOf } from '../system/disk.ts';
import { dropPart, streamAtomically } from '../system/files.ts';
import { copyInto } from './archive-entries.ts';
import { judgeArchive } from './archive-judge.ts';
import { type ArchiveList, formatList, LIST_NAME } from './archive-list.ts';
import { surveyArchive } from './archive-survey.ts';
import type { ImageNames } from './ensure.ts';

export interface Saved {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Headers and padding of a tar, as a share of the files in it: the images here have 4 to 7 %. */
const TAR_OVERHEAD = 1.1;

/**
 * An archive has images by their tags.
 * @throws WrongInput for settings that name one by a digest
 */
export function expectSavable({ chosenImages }: Pick<Settings, 'chosenImages'>): void {
  const problems = Object.entries(chosenImages)
    .filter(([, image]) => image.includes('@'))
    .map(([role, image]) => ({
      input: `${role.toUpperCase()}_IMAGE`,
      message: `"${image}" has a digest, and an archive carries none; name the tag alone: the archive has each image’s own digest`,
    }));
  if (problems.length > 0) throw new WrongInput(problems);
}

/** What an archive of these images will say of itself. @throws Failure `mixed-architectures`, `image-gone` */
export async function listOf(
  { images }: Pick<Engine, 'images'>,
  names: ImageNames,
  { moorage, saved }: { moorage: string; saved: Date },
): Promise<ArchiveList> {
  const found = await Promise.all(
    Object.entries(names).map(async ([role, reference]) => {
      const image = await images.inspect(reference);
      if (image === undefined)
        throw new Failure('image-gone', `The engine has no ${reference} any more.`, 'Run this again.');
      return { role, reference, image };
    }),
  );
  const architectures = [...new Set(found.map(({ image }) => image.architecture))];
  const [architecture = '', another] = architectures;
  if (another !== undefined)
    throw new Failure(
      'mixed-architectures',
      `The images are for different machines: ${found.map(({ reference, image }) => `${reference} for ${image.architecture}`).join(', ')}.`,
      'Remove those that are not for this machine (docker image rm), then run this again.',
    );
  return {
    format: 1,
    moorage,
    saved: saved.toISOString(),
    architecture,
    images: found.map(({ role, reference, image: { id, layers, created, size } }) => ({
      role: role as ArchiveList['images'][number]['role'],
      reference,
      id,
      layers: [...layers],
      created,
      size,
    })),
  };
}

/**
 * Writes the images of a list into a file as a whole or not at all, 0644: there is no secret in them.
 * @throws WrongInput where there is no such folder, or something else than a file; Failure `disk-full`
 */
export async function saveArchive(
  { images }: Pick<Engine, 'images'>,
  list: ArchiveList,
  file: string,
  report: Report,
): Promise<Saved> {
  const real = await realpath(file).catch(() => file); // whoever made a link wants it where that leads
  const folder = dirname(real);
  if ((await stat(real).catch(() => undefined))?.isFile() === false)
    throw new WrongInput([{ input: file, message: 'is no file; - writes to standard output' }]);
  if (!(await stat(folder).catch(() => undefined))?.isDirectory())
    throw new WrongInput([{ input: file, message: `there is no folder ${folder}` }]);
  await dropPart(real); // what a killed run left takes room that is needed
  await expectRoom(images, list, folder);
  try {
    return await streamAtomically(real, 0o644, (to) => writeArchive(images, list, file, to, report));
  } catch (error) {
    if (systemCode(error) !== 'ENOSPC' && systemCode(error) !== 'EDQUOT') throw error;
    throw diskFull(
      `The disk of ${folder} became full while the archive was written; what there was of it is gone.`,
      error,
    );
  }
}

/**
 * Streams the images of a list, the list first. What the engine gives is held against the list on its way.
 * @throws Failure `archive-damaged` where the engine gave something else: then what was written is worth nothing
 */
export async function writeArchive(
  images: Pick<Images, 'save'>,
  list: ArchiveList,
  file: string,
  to: Writable,
  report: Report,
): Promise<Saved> {
  const source = await images.save(list.images.map(({ reference }) => reference));
  const archive = pack();
  const hash = createHash('sha256');
  let bytes = 0;
  const fill = async () => {
    try {
      archive.entry({ name: LIST_NAME, mtime: new Date(list.saved) }, formatList(list));
      const survey = await surveyArchive(source, file, (header) => copyInto(archive, header));
      judgeArchive(list, survey, file);
      archive.finalize();
    } catch (error) {
      archive.destroy(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  };
  const measure = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
      report(`${sizeInWords(bytes)} written`);
      yield chunk;
    }
  };
  const write = pipeline(Readable.from(archive), measure, to).catch((error) => {
    source.destroy();
    throw error;
  });
  await Promise.all([fill(), write]);
  return { bytes, sha256: hash.digest('hex') };
}

/** Layers that images share are in the archive once. */
async function expectRoom(images: Pick<Images, 'history'>, list: ArchiveList, folder: string): Promise<void> {
  const sizes = new Map<string, number>();
  for (const { reference } of list.images) {
    let chain = '';
    for (const { key, size } of await images.history(reference)) {
      chain = createHash('sha256').update(`${chain} ${key}`).digest('hex');
      sizes.set(chain, size);
    }
  }
  const needed = [...sizes.values()].reduce((sum, size) => sum + size, 0) * TAR_OVERHEAD;
  const { free } = await diskOf(folder);
  if (free >= needed) return;
  throw diskFull(
    `The archive takes about ${sizeInWords(needed)}, and ${folder} has ${sizeInWords(free)} free.`,
  );
}

function diskFull(what: string, cause?: unknown): Failure {
  return new Failure('disk-full', what, 'Free space, or write it to a larger disk.', { cause });
}
