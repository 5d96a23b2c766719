import { mkdir, mkdtemp, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FolderTree } from '../inventory/folder-tree.ts';
import { readInventory } from '../inventory/inventory.ts';
import { onDisk } from '../inventory/layout.ts';
import { findLeftovers, foldersToRemove } from './leftovers.ts';

const NOW = new Date('2026-01-10T12:00:00Z');
const HOUR = 60 * 60 * 1000;
const HEX = 'a'.repeat(64);

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'leftovers-'));
});

async function put(path: string, hoursAgo = 0): Promise<void> {
  const file = join(onDisk(root, 'repositories'), path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `sha256:${HEX}`);
  const then = new Date(NOW.getTime() - hoursAgo * HOUR);
  await utimes(file, then, then);
}

const image = (repository: string) => put(`${repository}/_manifests/revisions/sha256/${HEX}/link`);
const layer = (repository: string) => put(`${repository}/_layers/sha256/${HEX}/link`);

async function upload(repository: string, id: string, startedHoursAgo: number, writtenHoursAgo: number) {
  await put(`${repository}/_uploads/${id}/startedat`, startedHoursAgo);
  await put(`${repository}/_uploads/${id}/data`, writtenHoursAgo);
  await put(`${repository}/_uploads/${id}/hashstates/sha256/0`, startedHoursAgo);
}

async function removed(): Promise<string[]> {
  const tree = new FolderTree(root);
  const inventory = await readInventory(tree);
  return (await foldersToRemove(tree, await findLeftovers(tree, inventory, NOW))).sort();
}

test('a repository with an image stays, whatever else it has', async () => {
  await image('team/app');
  await layer('team/app');
  expect(await removed()).toEqual([]);
});

test('one without goes, with the folders above that have nothing else', async () => {
  await image('team/app');
  await layer('team/tools/deep/old');
  await layer('gone');
  expect(await removed()).toEqual(['gone', 'team/tools']);
});

test('of one that has others below it only its own goes', async () => {
  await layer('team');
  await put('team/_uploads/1/data', 0);
  await image('team/app');
  expect(await removed()).toEqual(['team/_layers', 'team/_uploads']);
});

test('where all go, the topmost goes as a whole', async () => {
  await layer('team');
  await layer('team/app');
  await layer('team/app/part');
  expect(await removed()).toEqual(['team']);
});

test('an upload stays as long as it is written to, however long ago it began, and its repository with it', async () => {
  await upload('team/new', 'live', 100, 1);
  expect(await removed()).toEqual([]);
});

test('one that nobody has written to for a day goes', async () => {
  await image('team/app');
  await upload('team/app', 'live', 100, 23);
  await upload('team/app', 'left', 100, 25);
  await upload('team/new', 'left', 25, 25);
  expect(await removed()).toEqual(['team/app/_uploads/left', 'team/new']);
});

test('so does what distribution leaves of one that was cancelled', async () => {
  await image('team/app');
  await put('team/app/_uploads/1/hashstates/sha256/0', 0);
  expect(await removed()).toEqual(['team/app/_uploads/1']);
});

test('a repository with a manifest whose content is lost stays', async () => {
  await image('team/lost');
  const inventory = await readInventory(new FolderTree(root));
  expect(inventory.repositories[0]?.damaged).toEqual([`sha256:${HEX}`]);
  expect(await removed()).toEqual([]);
});
