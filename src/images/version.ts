import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Paths } from '../paths.ts';

const shape = z.object({ version: z.string() });

/** Of this checkout, as package.json has it. */
export async function moorageVersion({ root }: Pick<Paths, 'root'>): Promise<string> {
  return shape.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))).version;
}
