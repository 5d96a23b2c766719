import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { hereAsThere } from '../../test/support/here-as-there.ts';
import { removeOldPrograms } from './old-programs.ts';
import { PINNED_NODE, PINNED_NPM } from './pinned.ts';

const CURRENT = [PINNED_NODE.x64.folder, PINNED_NPM.folder];

let folder: string;

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'programs-')), 'of moorage');
  for (const name of [...CURRENT, 'node-18.1.0/bin', 'npm-9.1.0', 'somebody’s'])
    await mkdir(join(folder, name), { recursive: true });
});

const removed = () => removeOldPrograms(hereAsThere, folder);

test('of several versions the one that is brought now stays, and what else is there', async () => {
  expect(await removed()).toEqual(['node-18.1.0', 'npm-9.1.0']);
  expect((await readdir(folder)).sort()).toEqual([...CURRENT, 'somebody’s'].sort());
  expect(await removed()).toEqual([]);
});

test('a program that runs stays until it has ended', async () => {
  const program = join(folder, 'node-18.1.0/bin/node');
  await copyFile('/bin/sleep', program);
  const running = spawn(program, ['600']);
  await once(running, 'spawn');
  expect(await removed()).toEqual(['npm-9.1.0']);
  running.kill();
  await once(running, 'exit');
  expect(await removed()).toEqual(['node-18.1.0']);
});

test('where nothing was ever brought there is nothing to do', async () => {
  expect(await removeOldPrograms(hereAsThere, join(folder, 'nowhere'))).toEqual([]);
});
