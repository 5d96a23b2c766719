import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Failure, systemCode, WrongInput } from '../errors.ts';
import { sizeInWords } from '../low-water.ts';
import { type Done, type Report, unchanged } from '../step.ts';
import { eachEntry } from './archive-entries.ts';
import { judgeArchive, type Verified } from './archive-judge.ts';
import { type ArchiveList, foreign, LIST_NAME, parseList } from './archive-list.ts';
import { type Survey, surveyArchive } from './archive-survey.ts';

/** An archive of which no more than its list was read. */
export interface Archive {
  readonly file: string;
  readonly list: ArchiveList;
}

const LONGEST_LIST = 1 << 20;

/**
 * Reads the list of an archive, its first file; `undefined` where there is no archive.
 * @throws Failure `archive-foreign`, `archive-damaged`
 */
export async function openArchive(file: string): Promise<Archive | undefined> {
  const found = await stat(file).catch((error) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  if (!found.isFile()) throw foreign(file, 'it is no file');
  if (found.size === 0) throw foreign(file, 'it is empty');
  let list: ArchiveList | undefined;
  try {
    await eachEntry(createReadStream(file), file, async ({ header, body }) => {
      if (header.name !== LIST_NAME || header.size > LONGEST_LIST)
        throw foreign(file, `it begins with ${JSON.stringify(header.name)}`);
      list = parseList(await text(Readable.from(body)), file);
      return false;
    });
  } catch (error) {
    throw error instanceof Failure && error.code === 'archive-damaged' ? await ifPacked(file) : error;
  }
  if (list === undefined) throw foreign(file, 'there is nothing in it');
  return { file, list };
}

/** @throws Failure `no-archive` */
export async function expectArchive(file: string): Promise<Archive> {
  const archive = await openArchive(file);
  if (archive !== undefined) return archive;
  throw new Failure(
    'no-archive',
    `There is no ${file}.`,
    'Make it with `npm run images -- save FILE` on a machine that has a network, and bring it here.',
  );
}

export interface Checked {
  readonly survey: Survey;
  readonly images: readonly Verified[];
}

/**
 * Reads an archive to its end and holds it against its list. Nothing else is done.
 * @throws Failure `archive-damaged`
 */
export async function checkArchive({ file, list }: Archive, report: Report): Promise<Checked> {
  const survey = await surveyArchive(Readable.from(watched(file, report), { objectMode: false }), file);
  return { survey, images: judgeArchive(list, survey, file) };
}

/** @throws WrongInput where a file has another SHA-256 than was expected */
export async function expectSame(file: string, expected: string, report: Report): Promise<Done> {
  const hash = createHash('sha256');
  for await (const chunk of watched(file, report)) hash.update(chunk);
  const found = hash.digest('hex');
  if (found === expected.toLowerCase().replace(/^sha256:/, '')) return unchanged(found);
  throw new WrongInput([
    { input: '--sha256', message: `${file} has another one, ${found}. Nothing was loaded.` },
  ]);
}

async function* watched(file: string, report: Report): AsyncGenerator<Buffer> {
  const { size } = await stat(file);
  let bytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    bytes += chunk.length;
    report(`checking ${file}: ${sizeInWords(bytes)} of ${sizeInWords(size)}`);
    yield chunk;
  }
}

/** People pack what they carry. */
async function ifPacked(file: string): Promise<Failure> {
  const [first, second] = (await createReadStream(file, { end: 1 }).toArray()).flatMap((part) => [...part]);
  if (first === 0x1f && second === 0x8b)
    return new Failure('archive-foreign', `${file} is packed.`, `Unpack it first: gunzip ${file}`);
  return foreign(file, 'it is no tar');
}
