import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FolderTree } from '../inventory/folder-tree.ts';
import { layerLink, onDisk, revisionLink, tagLink } from '../inventory/layout.ts';
import type { Tree } from '../inventory/tree.ts';
import { readLinks } from './links.ts';
import { readArchive, unpackLinks, writeLinks } from './links-archive.ts';

const hex = (digit: string) => digit.repeat(64);
const long = 'team/with/a/name/that/is/so/long/that/a/plain/tar/has/no/place/for/it/and/needs/an/extension';

let folder: string;
let tree: FolderTree;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moorage-links-'));
  tree = new FolderTree(folder);
});

afterEach(() => rm(folder, { recursive: true }));

/** In the order in which a push writes. */
async function push(repository: string, tag: string, digit: string): Promise<void> {
  const content = Buffer.from(`sha256:${hex(digit)}`);
  await tree.write(layerLink(repository, hex(digit)), content);
  await tree.write(revisionLink(repository, hex(digit)), content);
  await tree.write(tagLink(repository, tag).replace('current', `index/sha256/${hex(digit)}`), content);
  await tree.write(tagLink(repository, tag), content);
}

const paths = async (from: Tree) => (await readLinks(from)).map(({ path }) => path);

/** As the tree, with something happening once a folder of that name is looked into. */
function when(name: string, happens: () => Promise<void>): Tree {
  let happened = false;
  return {
    list: async (path) => {
      if (!happened && path.endsWith(name)) {
        happened = true;
        await happens();
      }
      return tree.list(path);
    },
    facts: (path) => tree.facts(path),
    read: (path) => tree.read(path),
    write: (path, content) => tree.write(path, content),
    remove: (path) => tree.remove(path),
  };
}

test('all links go into the archive and come out of it as old as they were; uploads stay out', async () => {
  await push('team/app', 'link', 'a');
  await push(long, '1', 'b');
  await tree.write('repositories/team/app/_uploads/1234/startedat', Buffer.from('now'));
  const links = await readLinks(tree);
  expect(links).toHaveLength(8);
  const archive = join(folder, 'links.tar');
  await writeLinks(archive, links);
  const read = await readArchive(archive);
  expect(read.map(({ path, digest }) => ({ path, digest }))).toEqual(
    links.map(({ path, digest }) => ({ path, digest })),
  );
  const restored = join(folder, 'restored');
  await unpackLinks(read, onDisk(restored, ''));
  const times = async (root: string) => (await stat(onDisk(root, tagLink(long, '1')))).mtimeMs / 1000;
  expect(await times(restored)).toBe(Math.floor(await times(folder)));
  expect(await paths(new FolderTree(restored))).toEqual(links.map(({ path }) => path));
});

test('the same links make the same archive', async () => {
  await push('team/app', '1', 'a');
  const links = await readLinks(tree);
  const [one, other] = [join(folder, 'one'), join(folder, 'other')];
  await writeLinks(one, links);
  await writeLinks(other, await readLinks(tree));
  expect(await readArchive(one)).toEqual(await readArchive(other));
});

test('what is pushed while tags are read may come without its tag, and never a tag without what it needs', async () => {
  await push('team/app', '1', 'a');
  const found = await paths(when('_manifests/revisions', () => push('team/app', '2', 'b')));
  expect(found).toContain(tagLink('team/app', '1'));
  expect(found).not.toContain(tagLink('team/app', '2'));
  expect(found).toEqual(
    expect.arrayContaining([revisionLink('team/app', hex('b')), layerLink('team/app', hex('b'))]),
  );
});

test('a tag whose manifest is deleted meanwhile is left out', async () => {
  await push('team/app', '1', 'a');
  await push('team/app', '2', 'b');
  const found = await paths(
    when('_manifests/revisions', () => tree.remove(revisionLink('team/app', hex('b')))),
  );
  expect(found).toContain(tagLink('team/app', '1'));
  expect(found.filter((path) => path.includes('/tags/2/'))).toEqual([]);
});

test('a link that leads out of the folder is refused', async () => {
  const link = { path: 'repositories/../../../etc/link', digest: `sha256:${hex('a')}`, written: new Date() };
  await expect(unpackLinks([link], folder)).rejects.toThrow(/no link’s path|no link's path/);
});
