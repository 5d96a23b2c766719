import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { systemCode } from '../errors.ts';
import type { Report } from '../step.ts';
import { atOnce } from '../system/at-once.ts';
import { digestIn } from './differences.ts';
import type { Meter } from './meter.ts';
import type { Places } from './places.ts';
import type { FileFacts, Scan } from './scan.ts';

/** One is read from the disk while another one is hashed. */
const AT_ONCE = 2;
const CHUNK = 1024 * 1024;
const BETWEEN_TURNS = 500;

/** Blobs whose hash was found to be their name, as they were then: they are not read again while writes are closed. */
export class Proven {
  readonly #known = new Map<string, string>();

  has(path: string, facts: FileFacts): boolean {
    return this.#known.get(path) === keyOf(facts);
  }

  add(path: string, facts: FileFacts): void {
    this.#known.set(path, keyOf(facts));
  }
}

/** The blobs that are still to be hashed. */
export function unproven(found: Scan, proven: Proven): readonly string[] {
  return [...found.files].flatMap(([path, facts]) =>
    digestIn(path) === undefined || proven.has(path, facts) ? [] : [path],
  );
}

/** Hashes every blob that is not proven yet. Answers those that are not what they are named after. */
export async function hashBlobs(
  directory: string,
  found: Scan,
  proven: Proven,
  meter: Meter,
  report: Report,
): Promise<readonly string[]> {
  const wrong: string[] = [];
  await atOnce(AT_ONCE, unproven(found, proven), async (path) => {
    const facts = found.files.get(path);
    if (facts === undefined) return;
    if (await isSound(join(directory, path), path)) proven.add(path, facts);
    else wrong.push(path);
    meter.add(facts.bytes);
    report(meter.inWords());
  });
  return wrong.sort();
}

/** Whether a blob's hash is its name, and any other file is there. What can't be read is not. */
export async function isSound(file: string, path: string): Promise<boolean> {
  const named = digestIn(path);
  try {
    const hex = await hashOf(file, named?.algorithm ?? 'sha256');
    return named === undefined || hex === named.hex;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EIO' || code === 'ENOENT') return false;
    throw error;
  }
}

/** All files but blobs, both read: links are small, and what they say is what a tag stands for. */
export async function unlikeFiles({ from, to }: Places, found: Scan): Promise<readonly string[]> {
  const unlike: string[] = [];
  let looked = 0;
  for (const path of found.files.keys()) {
    if (digestIn(path) !== undefined) continue;
    if (!readFileSync(join(from, path)).equals(readFileSync(join(to, path)))) unlike.push(path);
    looked += 1;
    if (looked % BETWEEN_TURNS === 0) await turn();
  }
  return unlike;
}

async function hashOf(path: string, algorithm: string): Promise<string> {
  const hash = createHash(algorithm);
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK, null);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

function keyOf({ bytes, written }: FileFacts): string {
  return `${bytes} ${written}`;
}
