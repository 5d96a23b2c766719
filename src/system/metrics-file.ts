import { join } from 'node:path';
import { ensureDirectory, writeAtomically } from './files.ts';

/** Where parts of the stack write what they have counted: a volume in memory, which they share with the exporter. */
export const STACK_METRICS = '/run/metrics';

/** Replaces what a part has told before. The age of the file says when that was. */
export async function writeMetrics(folder: string, part: string, text: string): Promise<void> {
  await ensureDirectory(folder);
  await writeAtomically(join(folder, `${part}.prom`), text, 0o644);
}
