import { expect, test } from 'vitest';
import { type Answered, type Ask, chooseSamples, expectSamples } from './samples.ts';

const MANIFEST = JSON.stringify({
  config: { digest: 'sha256:config', size: 2 },
  layers: [{ digest: 'sha256:big', size: 1e9 }],
});

/** A registry that answers these; everything else is unknown. */
function registry(changes: Record<string, Partial<Answered>> = {}): Ask {
  const known: Record<string, Partial<Answered>> = {
    '/v2/_catalog?n=20': { text: JSON.stringify({ repositories: ['empty', 'app'] }) },
    '/v2/empty/tags/list': { text: JSON.stringify({ tags: null }) },
    '/v2/app/tags/list': { text: JSON.stringify({ tags: ['1', '2'] }) },
    '/v2/app/manifests/1': { text: MANIFEST, digest: 'sha256:manifest' },
    '/v2/app/manifests/sha256:manifest': { text: MANIFEST, digest: 'sha256:manifest' },
    '/v2/app/blobs/sha256:config': { digest: 'sha256:config' },
    ...changes,
  };
  return async (paths) =>
    paths.map((path) =>
      known[path] === undefined
        ? { status: 404, digest: '', text: '' }
        : { status: 200, digest: '', text: '', ...known[path] },
    );
}

const SAMPLE = { repository: 'app', tag: '1', digest: 'sha256:manifest', blobs: ['sha256:config'] };
const OTHER = { repository: 'other', tag: '1', digest: 'sha256:other', blobs: [] };
const THERE = { '/v2/other/manifests/sha256:other': { digest: 'sha256:other' } };

test('images are chosen that can be pulled now, without what is large', async () => {
  expect(await chooseSamples(registry())).toEqual([SAMPLE]);
  expect(await chooseSamples(registry({ '/v2/app/blobs/sha256:config': { status: 500 } }))).toEqual([]);
  expect(await chooseSamples(registry({ '/v2/_catalog?n=20': { status: 404 } }))).toEqual([]);
});

test('as they were, or sent to the bucket, they are fine', async () => {
  await expectSamples(registry(), [SAMPLE]);
  await expectSamples(registry({ '/v2/app/blobs/sha256:config': { status: 307 } }), [SAMPLE]);
  await expectSamples(registry(), []);
});

test('one that somebody deleted meanwhile is no harm, all of them are', async () => {
  await expectSamples(registry(), [SAMPLE, OTHER]);
  await expect(expectSamples(registry(), [OTHER])).rejects.toMatchObject({ code: 'images-lost' });
});

test.each([
  ['an error', { '/v2/app/manifests/sha256:manifest': { status: 500 } }],
  ['other bytes', { '/v2/app/blobs/sha256:config': { digest: 'sha256:other' } }],
  ['a blob that is gone', { '/v2/app/blobs/sha256:config': { status: 404 } }],
  ['no answer', { '/v2/app/blobs/sha256:config': { status: 0 } }],
])('%s is not as it was', async (_, change) => {
  const lost = expectSamples(registry({ ...THERE, ...change }), [SAMPLE, OTHER]);
  await expect(lost).rejects.toMatchObject({ code: 'images-lost' });
});
