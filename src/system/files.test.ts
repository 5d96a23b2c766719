import { mkdir, mkdtemp, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readIfExists, replaceLink, writeAtomically } from './files.ts';

async function folder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'moorage-files-'));
}

test('a file is replaced as a whole, with the mode asked for whatever the umask', async () => {
  const path = join(await folder(), 'file');
  await writeFile(path, 'old');
  await writeAtomically(path, 'new', 0o640);
  expect(await readFile(path, 'utf8')).toBe('new');
  expect((await stat(path)).mode & 0o777).toBe(0o640);
});

test('a write that fails leaves what was there and nothing beside it', async () => {
  const directory = await folder();
  await mkdir(join(directory, 'file'));
  await expect(writeAtomically(join(directory, 'file'), 'new', 0o600)).rejects.toThrow();
  expect(await readdir(directory)).toEqual(['file']);
});

test('a link is pointed elsewhere in one step', async () => {
  const path = join(await folder(), 'current');
  await replaceLink(path, 'generation-1');
  await replaceLink(path, 'generation-2');
  expect(await readlink(path)).toBe('generation-2');
});

test('a file that is not there reads as undefined; a folder in its place is an error', async () => {
  const directory = await folder();
  expect(await readIfExists(join(directory, 'none'))).toBeUndefined();
  await expect(readIfExists(directory)).rejects.toThrow();
});
