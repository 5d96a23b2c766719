import { mkdtemp, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { hexOf, type Pushed, pushedImage, pushedIndex } from '../../test/support/registry-files.ts';
import { FolderTree } from './folder-tree.ts';
import { readInventory } from './inventory.ts';
import { blobPath, onDisk, revisionLink, tagLink } from './layout.ts';

const base = { name: 'base', bytes: 1_000 };
let folder: string;
let tree: FolderTree;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inventory-'));
  tree = new FolderTree(folder);
});

async function store(...all: readonly Pushed[]): Promise<void> {
  for (const { files } of all) for (const [path, text] of files) await tree.write(path, Buffer.from(text));
}

const repositories = async () => (await readInventory(tree)).repositories;

test('a registry without images', async () => {
  expect(await repositories()).toEqual([]);
});

test('repositories with their tags and manifests, one within the other’s name too', async () => {
  const inner = pushedImage('a/b', 'v2', [base]);
  const outer = pushedImage('a', 'v1', [base]);
  await store(inner, outer, pushedImage('z/deep/er', 'latest', []));
  const found = await repositories();
  expect(found.map(({ name, tags }) => [name, tags.map((tag) => tag.name)])).toEqual([
    ['a', ['v1']],
    ['a/b', ['v2']],
    ['z/deep/er', ['latest']],
  ]);
  expect(found[0]?.tags[0]?.digest).toBe(outer.digest);
  expect(found[0]?.manifests.get(outer.digest)?.blobs.map(({ bytes }) => bytes)).toEqual([700, 1_000]);
});

test('manifests that no tag stands for, and indexes', async () => {
  const [one, two] = [pushedImage('a', undefined, [base]), pushedImage('a', undefined, [])];
  const index = pushedIndex('a', 'multi', [one, two]);
  await store(one, two, index);
  const [found] = await repositories();
  expect(found?.tags.map(({ digest }) => digest)).toEqual([index.digest]);
  expect([...(found?.manifests.keys() ?? [])].sort()).toEqual(
    [one, two, index].map(({ digest }) => digest).sort(),
  );
  expect(found?.manifests.get(index.digest)?.manifests.map(({ digest }) => digest)).toEqual([
    one.digest,
    two.digest,
  ]);
});

test('when a tag was pushed, and when its manifest', async () => {
  const image = pushedImage('a', 'v1', []);
  await store(image);
  const [first, second] = [new Date('2026-01-01T00:00:00Z'), new Date('2026-02-01T00:00:00Z')];
  await utimes(onDisk(folder, revisionLink('a', hexOf(image.digest))), first, first);
  await utimes(onDisk(folder, tagLink('a', 'v1')), second, second);
  const [found] = await repositories();
  expect(found?.tags[0]?.pushed).toEqual(second);
  expect(found?.manifests.get(image.digest)?.pushed).toEqual(first);
});

test('a manifest that was deleted leaves a folder, which is nothing', async () => {
  const image = pushedImage('a', undefined, []);
  await store(image);
  await tree.remove(revisionLink('a', hexOf(image.digest)));
  expect(await repositories()).toEqual([{ name: 'a', tags: [], manifests: new Map(), damaged: [] }]);
});

test('what is missing or can’t be read is damaged, and takes nothing else with it', async () => {
  const [gone, torn, whole] = ['gone', 'torn', 'whole'].map((tag) =>
    pushedImage('a', tag, [{ name: tag, bytes: 1 }]),
  );
  if (gone === undefined || torn === undefined || whole === undefined) throw new Error('three were made');
  await store(gone, torn, whole);
  await tree.remove(blobPath(hexOf(gone.digest)));
  await tree.write(blobPath(hexOf(torn.digest)), Buffer.from('{"schemaVersion":2,"conf'));
  const [found] = await repositories();
  expect([...(found?.damaged ?? [])].sort()).toEqual([gone.digest, torn.digest].sort());
  expect([...(found?.manifests.keys() ?? [])]).toEqual([whole.digest]);
  expect(found?.tags).toHaveLength(3);
});

test('only what is wanted is read', async () => {
  await store(pushedImage('a', 'v1', []), pushedImage('b', 'v1', []));
  const { repositories: found } = await readInventory(tree, (name) => name === 'b');
  expect(found.map(({ name }) => name)).toEqual(['b']);
});
