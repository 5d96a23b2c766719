import { mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { removeEmpty, removeTree } from './remove-tree.ts';

let root: string;
const NOTHING = { keep: [], mounts: [] };

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tree-'));
  await mkdir(join(root, 'data/docker/registry/v2/blobs'), { recursive: true });
  await writeFile(join(root, 'data/docker/registry/v2/blobs/one'), 'one');
  await mkdir(join(root, 'elsewhere'));
  await writeFile(join(root, 'elsewhere/mine'), 'mine');
});

const v2 = () => join(root, 'data/docker/registry/v2');

test('links are removed and not followed, whatever they lead to', async () => {
  await symlink(join(root, 'elsewhere'), join(v2(), 'blobs/link'));
  await symlink(join(root, 'elsewhere/mine'), join(v2(), 'file'));
  // One at a time, too.
  for (const bounds of [{ keep: [join(v2(), 'absent')], mounts: [] }, NOTHING])
    expect(await removeTree(v2(), bounds)).toEqual([]);
  expect(await readFile(join(root, 'elsewhere/mine'), 'utf8')).toBe('mine');
});

test('what is kept stays with its folders, and all else goes', async () => {
  await writeFile(join(v2(), 'mine'), '');
  const mine = join(v2(), 'mine');
  expect(await removeTree(v2(), { keep: [mine], mounts: [] })).toEqual([{ path: mine, because: 'kept' }]);
  expect(await readdir(v2())).toEqual(['mine']);
});

test('nobody goes into a disk that is mounted there', async () => {
  const disk = join(v2(), 'blobs');
  expect(await removeTree(v2(), { keep: [], mounts: [disk] })).toEqual([{ path: disk, because: 'mounted' }]);
  expect(await readdir(disk)).toEqual(['one']);
});

test('twice is fine', async () => {
  expect(await removeTree(v2(), NOTHING)).toEqual([]);
  expect(await removeTree(v2(), NOTHING)).toEqual([]);
});

test('empty folders go up to the one that the settings name, and one that has something else stays', async () => {
  await removeTree(v2(), NOTHING);
  await writeFile(join(root, 'data/docker/notes.txt'), '');
  await removeEmpty(join(root, 'data/docker/registry'), join(root, 'data'));
  expect(await readdir(join(root, 'data/docker'))).toEqual(['notes.txt']);
  await removeTree(join(root, 'data/docker/notes.txt'), NOTHING);
  await removeEmpty(join(root, 'data/docker'), join(root, 'data'));
  expect(await readdir(root)).toEqual(['elsewhere']);
});
