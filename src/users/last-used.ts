import { join } from 'node:path';
import { z } from 'zod';
import { readIfExists } from '../system/files.ts';

const times = z.record(
  z.string(),
  z.iso.datetime().transform((text) => new Date(text)),
);

/** When each token was used last, by its id. What can't be read is not worth failing for: it is a comfort, not a right. */
export async function readLastUsed(file: string): Promise<Map<string, Date>> {
  try {
    return new Map(Object.entries(times.parse(JSON.parse((await readIfExists(file)) ?? '{}'))));
  } catch {
    return new Map();
  }
}

/** The gate writes it, commands read it. @param folder the gate's own */
export function lastUsedFile(folder: string): string {
  return join(folder, 'last-used.json');
}
