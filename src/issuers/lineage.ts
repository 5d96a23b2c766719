import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pair } from '../certificates/verify.ts';
import { systemCode } from '../errors.ts';
import { readIfExists } from '../system/files.ts';

/**
 * The pairs that certbot keeps of one lineage, newest first. Read from `archive/NAME/`, where a file is written once
 * and never changed; `live/` is a set of links that change one after another, and a kill leaves a mixed pair there.
 */
export async function archivedPairs(configDirectory: string, certificateName: string): Promise<Pair[]> {
  const folder = join(configDirectory, 'archive', certificateName);
  const numbers = (await list(folder))
    .map((name) => /^fullchain(\d+)\.pem$/.exec(name)?.[1])
    .filter((number) => number !== undefined)
    .sort((a, b) => Number(b) - Number(a));
  const pairs: Pair[] = [];
  for (const number of numbers) {
    const privateKey = await readIfExists(join(folder, `privkey${number}.pem`));
    const chain = await readIfExists(join(folder, `fullchain${number}.pem`));
    if (privateKey && chain) pairs.push({ privateKey, chain });
  }
  return pairs;
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
