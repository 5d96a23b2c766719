import { readFile } from 'node:fs/promises';
import { PROGRAMS_FOLDER } from '../host/programs-here.ts';
import type { RemoteHost } from '../remote/host.ts';
import { PINNED_NODE, PINNED_NPM } from './pinned.ts';

/**
 * Takes away what earlier deployments copied there, once nothing leads to it, runs by it or would be started by it. What
 * can't be taken away now is by the next one.
 * @returns names such as `node-22.11.0`
 */
export async function removeOldPrograms(
  host: Pick<RemoteHost, 'run'>,
  folder = PROGRAMS_FOLDER,
): Promise<readonly string[]> {
  const script = await readFile(new URL('sweep.sh', import.meta.url), 'utf8');
  const current = [PINNED_NODE.x64, PINNED_NODE.arm64, PINNED_NPM].map(({ folder }) => folder);
  const words = ['sh', '-s', '--', folder, ...new Set(current)];
  const { stdout } = await host.run(words, { input: script });
  return stdout.split('\n').filter((name) => name !== '');
}
