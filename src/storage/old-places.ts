import { z } from 'zod';
import { sizeInWords } from '../low-water.ts';
import { writeAtomically } from '../system/files.ts';
import { readAs } from '../system/json.ts';

const place = z.object({
  folder: z.string(),
  /** Where its images went. */
  to: z.string(),
  /** When. */
  moved: z.coerce.date(),
  bytes: z.number(),
});

/** A folder for images that serves no more and is kept until somebody drops it. */
export type OldPlace = z.infer<typeof place>;

/** What a folder has that is an old place. Whoever finds it there should know what it is. */
export const OLD_MARK = 'MOORAGE-OLD-IMAGES.txt';
/** What a folder has that images are being moved to. */
export const NEW_MARK = '.moorage-moving.json';

export const DROP = 'npm run storage -- drop-old';

/** The one moved last comes first. A file that can't be read knows of none. */
export async function readOldPlaces(file: string): Promise<readonly OldPlace[]> {
  return (await readAs(file, z.array(place))) ?? [];
}

/** For people, in half a line. */
export function oldPlaceInWords({ folder, bytes }: OldPlace): string {
  return `${folder}, where the images were before, still has ${sizeInWords(bytes)} (${DROP})`;
}

export async function writeOldPlaces(file: string, places: readonly OldPlace[]): Promise<void> {
  await writeAtomically(file, `${JSON.stringify(places)}\n`, 0o644);
}
