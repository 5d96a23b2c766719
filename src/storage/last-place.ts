import { z } from 'zod';
import { readIfExists, writeAtomically } from '../system/files.ts';

const record = z.object({ place: z.string(), used: z.boolean() });

/** Where images were kept when init-tls last ran, and whether there were any. */
export type LastPlace = z.infer<typeof record>;

/** `undefined`: it never ran, or what it noted can't be read. */
export async function readLastPlace(file: string): Promise<LastPlace | undefined> {
  const text = await readIfExists(file);
  if (text === undefined) return undefined;
  try {
    return record.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export async function noteLastPlace(file: string, place: LastPlace): Promise<void> {
  const text = `${JSON.stringify(place)}\n`;
  if ((await readIfExists(file)) !== text) await writeAtomically(file, text, 0o644);
}
