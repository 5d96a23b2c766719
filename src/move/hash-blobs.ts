import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { counted } from '../counted.ts';
import { blobPath, onDisk } from '../inventory/layout.ts';
import { sizeInWords } from '../low-water.ts';
import type { Report } from '../step.ts';
import { atOnce } from '../system/at-once.ts';
import { ensureDirectory, readIfExists, writeAtomically } from '../system/files.ts';
import type { Survey } from './survey.ts';

/** A disk reads ahead for each, and a processor hashes about as fast as one of them reads. */
const AT_ONCE = 4;
const HEX = /^[0-9a-f]{64}$/;

/**
 * Computes the digest of every blob. Those that were right before, and that nobody has touched since, are left out: what
 * comes with the second copying is hashed while nobody may write.
 * @param directory REGISTRY_DATA_DIR
 * @param memory file that remembers what was right
 */
export async function hashBlobs(
  directory: string,
  memory: string,
  report: Report,
): Promise<NonNullable<Survey['blobs']>> {
  const known = new Set(((await readIfExists(memory)) ?? '').split('\n'));
  const right: string[] = [];
  const wrong: string[] = [];
  let [count, bytes, hashed] = [0, 0, 0];
  await atOnce(AT_ONCE, await blobsIn(directory), async (hex) => {
    const path = onDisk(directory, blobPath(hex));
    const facts = await stat(path).catch(() => undefined);
    if (facts === undefined) return; // a folder that a collection has emptied
    count += 1;
    bytes += facts.size;
    const mark = `${hex} ${facts.size} ${facts.ctimeMs}`;
    if (!known.has(mark) && (await sha256Of(path)) !== hex) return void wrong.push(hex);
    if (!known.has(mark)) hashed += facts.size;
    right.push(mark);
    report(`${counted(count, 'blob')}, ${sizeInWords(hashed)} hashed`);
  });
  await ensureDirectory(dirname(memory));
  await writeAtomically(memory, `${right.join('\n')}\n`, 0o600);
  return { count, bytes, wrong };
}

/** Whether a blob is what its name says. */
export async function isRight(directory: string, hex: string): Promise<boolean> {
  return (await sha256Of(onDisk(directory, blobPath(hex))).catch(() => '')) === hex;
}

async function blobsIn(directory: string): Promise<string[]> {
  const top = onDisk(directory, 'blobs/sha256');
  const folders = await readdir(top).catch((): string[] => []);
  const names = await Promise.all(folders.map((folder) => readdir(join(top, folder))));
  return names.flat().filter((name) => HEX.test(name));
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}
