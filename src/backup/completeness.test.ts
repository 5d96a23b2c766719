import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FolderTree } from '../inventory/folder-tree.ts';
import { blobPath } from '../inventory/layout.ts';
import { incomplete } from './completeness.ts';

const hex = (digit: string) => digit.repeat(64);

test('a layer that its vendor keeps is not missing; one of the registry’s own is', async () => {
  const tree = new FolderTree(await mkdtemp(join(tmpdir(), 'complete-')));
  await tree.write(blobPath(hex('a')), Buffer.from('config'));
  const manifest = (digit: string, foreign?: true) => ({
    digest: `sha256:${hex(digit)}`,
    pushed: new Date(0),
    mediaType: '',
    bytes: 1,
    blobs: [
      { digest: `sha256:${hex('a')}`, bytes: 6 },
      { digest: `sha256:${hex('b')}`, bytes: 1, ...(foreign && { foreign }) },
    ],
    manifests: [],
    subject: undefined,
  });
  const manifests = new Map([manifest('1', true), manifest('2')].map((each) => [each.digest, each]));
  const repositories = [{ name: 'windows', tags: [], manifests, damaged: [] }];
  expect(await incomplete(tree, { repositories })).toEqual([`windows@sha256:${hex('2')}`]);
});
