import { z } from 'zod';
import { readIfExists, writeAtomically } from '../system/files.ts';
import { parseAs, readAs } from '../system/json.ts';

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
