import type { z } from 'zod';
import { readIfExists } from './files.ts';

/** What a text says, if it is JSON of this shape. For what may be damaged, or somebody else's. */
export function parseAs<T>(text: string, shape: z.ZodType<T>): T | undefined {
  try {
    return shape.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The same of a file. `undefined` also when there is none; the system's error when it can't be read now. */
export async function readAs<T>(path: string, shape: z.ZodType<T>): Promise<T | undefined> {
  const text = await readIfExists(path);
  return text === undefined ? undefined : parseAs(text, shape);
}
