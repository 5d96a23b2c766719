import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { Failure } from '../errors.ts';
import type { Paths } from '../paths.ts';
import type { Settings } from '../settings/settings.ts';
import { isSameFolder, readIfExists, writeAtomically } from '../system/files.ts';
import { parseAs, readAs } from '../system/json.ts';
import { holdsImages } from './data-directory.ts';

const record = z.object({ place: z.string(), used: z.boolean() });

/** Where images were kept when init-tls last ran, and whether there were any then. */
export type LastPlace = z.infer<typeof record>;

/** `undefined`: it never ran, or what it noted can't be read. */
export function readLastPlace(file: string): Promise<LastPlace | undefined> {
  return readAs(file, record);
}

export function parseLastPlace(text: string): LastPlace | undefined {
  return parseAs(text, record);
}

export async function noteLastPlace(file: string, place: LastPlace): Promise<void> {
  const text = `${JSON.stringify(place)}\n`;
  if ((await readIfExists(file)) !== text) await writeAtomically(file, text, 0o644);
}

/**
 * That images are where the settings say: while init-tls has yet to go by a changed REGISTRY_DATA_DIR the new folder may be
 * empty, or have others, such as an old place.
 * @throws Failure `images-elsewhere`
 */
export async function expectImagesNamed(
  { lastPlace }: Pick<Paths, 'lastPlace'>,
  { storage, registryDataDirectory: named }: Pick<Settings, 'storage' | 'registryDataDirectory'>,
): Promise<void> {
  const last = storage.kind === 'filesystem' ? (await readLastPlace(lastPlace))?.place : undefined;
  if (last === undefined || !isAbsolute(last) || (await isSameFolder(last, named))) return;
  if (!(await holdsImages(last))) return;
  throw new Failure(
    'images-elsewhere',
    `REGISTRY_DATA_DIR names ${named}, and the images are still in ${last}.`,
    `Run \`npm run init-tls\`, which brings them along or says why not; or put REGISTRY_DATA_DIR=${last} back.`,
  );
}
