import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pair } from '../certificates/verify.ts';
import { systemCode } from '../errors.ts';
import { ensureDirectory, readIfExists } from '../system/files.ts';

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

/**
 * Moves a lineage out of certbot's way whose renewal configuration a full disk or a kill left empty: certbot would
 * begin another one, `NAME-0001`, beside it. Nothing is deleted.
 * @returns whether there was one
 */
export async function setDamagedAside(configDirectory: string, name: string, now: Date): Promise<boolean> {
  const configuration = await readIfExists(join(configDirectory, 'renewal', `${name}.conf`));
  const begun = configuration !== undefined || (await list(join(configDirectory, 'live'))).includes(name);
  if (!begun || configuration?.includes('[renewalparams]') === true) return false;
  const aside = join(configDirectory, `damaged-${now.toISOString().replace(/\W/g, '')}`);
  for (const [folder, entry] of [
    ['renewal', `${name}.conf`],
    ['live', name],
    ['archive', name],
  ] as const) {
    await ensureDirectory(join(aside, folder), 0o700);
    await rename(join(configDirectory, folder, entry), join(aside, folder, entry)).catch(unlessMissing);
  }
  return true;
}

function unlessMissing(error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error;
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
