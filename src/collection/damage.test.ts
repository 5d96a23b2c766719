import { expect, test } from 'vitest';
import type { Inventory, Manifest } from '../inventory/inventory.ts';
import { damageOf, needsOf } from './damage.ts';

const at = new Date(0);
const of = (name: string) => ({ digest: name, bytes: 1 });

function manifest(
  digest: string,
  blobs: readonly string[],
  manifests: readonly string[] = [],
): [string, Manifest] {
  const content = { mediaType: 'x', bytes: 1, subject: undefined };
  return [digest, { ...content, digest, pushed: at, blobs: blobs.map(of), manifests: manifests.map(of) }];
}

const inventory: Inventory = {
  repositories: [
    {
      name: 'team/app',
      tags: [
        { name: 'v1', digest: 'index', pushed: at },
        { name: 'latest', digest: 'index', pushed: at },
      ],
      manifests: new Map([
        manifest('index', [], ['amd64', 'arm64']),
        manifest('amd64', ['config', 'shared']),
        manifest('arm64', ['config', 'shared', 'own']),
      ]),
      damaged: ['lost'],
    },
    { name: 'team/other', tags: [], manifests: new Map([manifest('single', ['shared'])]), damaged: [] },
  ],
};

test('everything that an image needs is asked for once in each repository', () => {
  const asked = needsOf(inventory).map(({ kind, repository, digest }) => `${repository} ${kind} ${digest}`);
  expect(asked.sort()).toEqual([
    'team/app blob config',
    'team/app blob own',
    'team/app blob shared',
    'team/app manifest amd64',
    'team/app manifest arm64',
    'team/app manifest index',
    'team/app manifest lost',
    'team/other blob shared',
    'team/other manifest single',
  ]);
});

test('what is missing is told of each manifest that needs it, with its tags', () => {
  const missing = ['arm64', 'own'];
  expect(damageOf(inventory, ({ digest }) => missing.includes(digest))).toEqual([
    { repository: 'team/app', tags: ['v1', 'latest'], digest: 'index', missing: ['arm64'] },
    { repository: 'team/app', tags: [], digest: 'arm64', missing: ['arm64', 'own'] },
  ]);
});

test('a layer that its vendor has is not asked for', () => {
  const [digest, image] = manifest('windows', []);
  const manifests = new Map([
    [digest, { ...image, blobs: [{ ...of('base'), foreign: true as const }, of('own')] }],
  ]);
  const repositories = [{ name: 'w', tags: [], manifests, damaged: [] }];
  expect(needsOf({ repositories }).map((need) => need.digest)).toEqual(['windows', 'own']);
});
