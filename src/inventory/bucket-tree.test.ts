import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { type FakeS3, startFakeS3 } from '../../test/support/fake-s3.ts';
import { BucketTree } from './bucket-tree.ts';
import { keepsTheTreesContract } from './tree.contract.ts';

const NOW = '2026-07-01T12:00:00Z';
const ROOT = 'registries/one/docker/registry/v2';
let s3: FakeS3;

beforeEach(async () => {
  s3 = await startFakeS3(new Date(NOW));
});

afterEach(() => s3.close());

const open = () => BucketTree.open(s3.bucket, new FakeClock(NOW));

describe('a bucket', () => {
  keepsTheTreesContract(open, () => new Date(NOW));
});

test('what is there already is found, a thousand keys at a time', async () => {
  for (let index = 0; index < 2_500; index += 1)
    s3.objects.set(`${ROOT}/repositories/a/tags/${index}/link`, Buffer.from('x'));
  s3.objects.set(`${ROOT}/blobs/sha256/aa/aa/data`, Buffer.from('not asked for'));
  s3.objects.set('registries/other/docker/registry/v2/repositories/b/link', Buffer.from('of another one'));
  const tree = await open();
  expect(await tree.list('repositories/a/tags')).toHaveLength(2_500);
  expect(await tree.list('repositories')).toEqual(['a']);
  expect(await tree.facts('repositories/a/tags/2499/link')).toEqual({ bytes: 1, written: new Date(NOW) });
  expect(s3.asked.filter((each) => each.includes('list-type'))).toHaveLength(3);
});

test('keys are below the root directory, and nothing else is touched', async () => {
  const tree = await open();
  s3.objects.set('registries/one/other', Buffer.from('x'));
  await tree.write('repositories/a/link', Buffer.from('x'));
  expect([...s3.objects.keys()]).toContain(`${ROOT}/repositories/a/link`);
  await tree.remove('repositories');
  expect([...s3.objects.keys()]).toEqual(['registries/one/other']);
});
