import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const READ_AT_START = ['.env', 'scripts/daemon.ts', 'node_modules/.package-lock.json'];

/** When something that the daemon reads only once, at its start, changed last: in ms since 1970. */
export async function lastChange(checkout: string): Promise<number> {
  const code = await readdir(join(checkout, 'src'), { recursive: true });
  const files = [...READ_AT_START, ...code.map((name) => join('src', name))];
  return Math.max(...(await Promise.all(files.map((file) => changeOf(join(checkout, file))))));
}

async function changeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
}
