import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FolderTree } from './folder-tree.ts';
import { keepsTheTreesContract } from './tree.contract.ts';

const open = async () => new FolderTree(await mkdtemp(join(tmpdir(), 'folder-tree-')));

describe('a folder', () => {
  keepsTheTreesContract(open, () => new Date());
});

test('a folder is moved in one step, with all that is below', async () => {
  const tree = await open();
  await tree.write('repositories/a/b/link', Buffer.from('x'));
  expect(await tree.move('repositories/a', 'trash/one/a')).toBe(true);
  expect(await tree.list('repositories')).toEqual([]);
  expect((await tree.read('trash/one/a/b/link'))?.toString()).toBe('x');
});

test('what is not there is not moved', async () => {
  expect(await (await open()).move('repositories/a', 'trash/a')).toBe(false);
});
