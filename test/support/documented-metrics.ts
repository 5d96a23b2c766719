import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { paths } from '../../src/paths.ts';

/** The metrics of our own that docs/monitoring.md has in its table. */
export async function documentedMetrics(): Promise<readonly string[]> {
  const page = await readFile(join(paths().root, 'docs/monitoring.md'), 'utf8');
  return [...page.matchAll(/^\| `(moorage_[a-z_]+)/gm)].map(([, name = '']) => name);
}
