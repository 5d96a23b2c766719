import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { type Pack, pack } from 'tar-stream';
import { counted } from '../counted.ts';
import type { Engine, ImageFacts } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import { sizeInWords } from '../low-water.ts';
import type { Report } from '../step.ts';
import { diskOf } from '../system/disk.ts';
import { copyInto, damaged } from './archive-entries.ts';
import type { Verified } from './archive-judge.ts';
import { isListed, type Listed } from './archive-list.ts';
import type { Seen, Survey } from './archive-survey.ts';
import { surveyArchive } from './archive-survey.ts';
import { type Archive, checkArchive } from './read-archive.ts';

/** An engine unpacks the whole archive beside its images before it takes them. */
const COPIES = 2;

/** Those of a list that the engine has not, or has something else for under their names. Only the engine is asked. */
export async function missingOf(
  { images }: Pick<Engine, 'images'>,
  listed: readonly Listed[],
): Promise<readonly Listed[]> {
  const present = await Promise.all(
    listed.map(async (each) => isListed(await images.inspect(each.reference), each)),
  );
  return listed.filter((_, index) => !present[index]);
}

/**
 * Loads images of an archive into the engine, once all of it has been read and found whole. Names that other images had are
 * taken from them.
 * @throws Failure `other-architecture`, `archive-damaged`, `disk-full`: nothing has changed then; `load-failed`
 */
export async function loadImages(
  engine: Pick<Engine, 'images' | 'machine'>,
  archive: Archive,
  wanted: readonly Listed[],
  report: Report,
): Promise<void> {
  const machine = await engine.machine();
  expectArchitecture(archive, machine.architecture);
  const { survey, images } = await checkArchive(archive, report);
  const chosen = images.filter(({ listed }) => wanted.includes(listed));
  if (chosen.length === 0) return;
  await expectRoom(survey, chosen, machine.dataFolder);
  report(`loading ${counted(chosen.length, 'image')}`);
  await engine.images.load(selection(archive.file, survey, chosen, report));
  await expectLoaded(engine, archive.file, survey, chosen);
}

/** @throws Failure `other-architecture` */
export function expectArchitecture({ file, list }: Archive, architecture: string): void {
  if (list.architecture === architecture) return;
  throw new Failure(
    'other-architecture',
    `The images of ${file} are for ${list.architecture}, and this machine is ${architecture}. Nothing was loaded.`,
    `Save them on a machine that is ${architecture}, too: npm run images -- save FILE`,
  );
}

/**
 * A fresh archive of some of the images, under names that their contents give: what else is in the file, and how things are
 * called there, the engine does not get to see.
 */
function selection(file: string, survey: Survey, chosen: readonly Verified[], report: Report): Readable {
  const manifest = chosen.map(({ listed, configuration, layers }) => ({
    Config: nameOf(survey, configuration),
    RepoTags: [listed.reference],
    Layers: layers.map((layer) => nameOf(survey, layer)),
  }));
  const archive = pack();
  archive.entry({ name: 'manifest.json' }, JSON.stringify(manifest));
  const needed = new Set(chosen.flatMap(({ configuration, layers }) => [configuration, ...layers]));
  fill(archive, file, survey, needed, report).then(
    () => archive.finalize(),
    (error) => archive.destroy(error),
  );
  return Readable.from(archive, { objectMode: false });
}

async function fill(
  archive: Pack,
  file: string,
  before: Survey,
  needed: ReadonlySet<string>,
  report: Report,
): Promise<void> {
  const given = new Set<string>();
  const all = bytesOf(before, needed);
  let bytes = 0;
  const tar = createReadStream(file, { highWaterMark: 1 << 20 });
  const now = await surveyArchive(tar, file, (header, name) => {
    const { size } = header;
    if (!needed.has(name)) return undefined;
    const target = nameOf(before, name);
    if (given.has(target)) return undefined;
    given.add(target);
    bytes += size;
    report(`loading ${sizeInWords(bytes)} of ${sizeInWords(all)}`);
    return copyInto(archive, { ...header, name: target, pax: null });
  });
  for (const name of needed)
    if (now.files.get(name)?.digest !== before.files.get(name)?.digest)
      throw damaged(file, 'it changed while it was read');
}

function nameOf({ files }: Survey, name: string): string {
  return `blobs/sha256/${files.get(name)?.digest.slice('sha256:'.length)}`;
}

async function expectRoom(
  survey: Survey,
  chosen: readonly Verified[],
  folder: string | undefined,
): Promise<void> {
  const disk = folder === undefined ? undefined : await diskOf(folder).catch(() => undefined);
  if (disk === undefined) return; // the engine will say
  const needed = COPIES * bytesOf(survey, new Set(chosen.flatMap(({ layers }) => layers)));
  if (disk.free >= needed) return;
  throw new Failure(
    'disk-full',
    `To load the images takes about ${sizeInWords(needed)}, and ${folder} has ${sizeInWords(disk.free)} free. Nothing was loaded.`,
    'Free space there, then run this again.',
  );
}

function bytesOf({ files }: Survey, names: ReadonlySet<string>): number {
  const seen = [...names].map((name) => files.get(name)).filter((each): each is Seen => each !== undefined);
  const sizes = new Map(seen.map(({ digest, size }) => [digest, size]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

/** Names that lead to anything else are taken away again. */
async function expectLoaded(
  { images }: Pick<Engine, 'images'>,
  file: string,
  { files }: Survey,
  chosen: readonly Verified[],
): Promise<void> {
  const wrong: string[] = [];
  for (const { listed, configuration } of chosen) {
    const found: ImageFacts | undefined = await images.inspect(listed.reference);
    if (found?.id === files.get(configuration)?.digest || isListed(found, listed)) continue;
    wrong.push(listed.reference);
    if (found !== undefined) await images.remove(listed.reference);
  }
  if (wrong.length === 0) return;
  throw new Failure(
    'load-failed',
    `The engine made something else of ${wrong.join(', ')} than ${file} has: removed again.`,
    'Run this again; if it stays, look into the log of the engine.',
  );
}
