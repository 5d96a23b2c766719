import { expect, test } from 'vitest';
import type { Inventory, Manifest, Repository } from './inventory.ts';
import { usageOf } from './usage.ts';

const pushed = new Date(0);

interface Made {
  readonly blobs?: Readonly<Record<string, number>>;
  readonly manifests?: readonly string[];
  readonly subject?: string;
}

/** Manifests of 10 bytes each. */
function repository(name: string, tags: Record<string, string>, made: Record<string, Made>): Repository {
  const manifests = Object.entries(made).map(
    ([digest, { blobs = {}, manifests: inner = [], subject }]): Manifest => ({
      digest,
      mediaType: '',
      bytes: 10,
      pushed,
      blobs: Object.entries(blobs).map(([blob, bytes]) => ({ digest: blob, bytes })),
      manifests: inner.map((each) => ({ digest: each, bytes: 10 })),
      subject,
    }),
  );
  return {
    name,
    tags: Object.entries(tags).map(([tag, digest]) => ({ name: tag, digest, pushed })),
    manifests: new Map(manifests.map((each) => [each.digest, each])),
    damaged: [],
  };
}

const usage = (...repositories: Repository[]) => usageOf({ repositories } satisfies Inventory);
const figures = (...all: Repository[]) =>
  Object.fromEntries(
    usage(...all).repositories.map(({ name, own, shared, untagged }) => [name, [own, shared, untagged]]),
  );

test('a registry without images takes nothing', () => {
  expect(usage()).toEqual({ bytes: 0, tags: 0, repositories: [] });
});

test('a layer of several tags is counted once', () => {
  const one = { m1: { blobs: { base: 100, top1: 5 } }, m2: { blobs: { base: 100, top2: 6 } } };
  expect(usage(repository('a', { v1: 'm1', v2: 'm2', latest: 'm2' }, one))).toEqual({
    bytes: 131,
    tags: 3,
    repositories: [{ name: 'a', tags: 3, own: 131, shared: 0, untagged: 0, damaged: 0 }],
  });
});

test('what several repositories have is shared, and in the sum once', () => {
  const a = repository('a', { v1: 'm1' }, { m1: { blobs: { base: 100, a: 5 } } });
  const b = repository('b', { v1: 'm2' }, { m2: { blobs: { base: 100, b: 6 } } });
  expect(figures(a, b)).toEqual({ a: [15, 100, 0], b: [16, 100, 0] });
  expect(usage(a, b).bytes).toBe(131);
});

test('the largest repository comes first, by all that it has', () => {
  const small = repository('small', { v: 's' }, { s: { blobs: { own: 50 } } });
  const large = repository('large', { v: 'l' }, { l: { blobs: { base: 100 } } });
  const twin = repository('twin', { v: 't' }, { t: { blobs: { base: 100 } } });
  expect(usage(small, twin, large).repositories.map(({ name }) => name)).toEqual(['large', 'twin', 'small']);
});

test('untagged is what only untagged manifests name', () => {
  const old = { m1: { blobs: { base: 100, old: 5 } }, m2: { blobs: { base: 100, top: 6 } } };
  expect(figures(repository('a', { latest: 'm2' }, old))).toEqual({ a: [131, 0, 15] });
});

test('the images of a tagged index are tagged, however deep', () => {
  const made = {
    outer: { manifests: ['inner'] },
    inner: { manifests: ['amd', 'arm'] },
    amd: { blobs: { a: 1 } },
    arm: { blobs: { b: 2 } },
    loose: { blobs: { c: 4 } },
  };
  expect(figures(repository('a', { v1: 'outer' }, made))).toEqual({ a: [57, 0, 14] });
});

test('a signature of a tagged image is no rubbish, one of an untagged image is', () => {
  const made = {
    image: {},
    signature: { subject: 'image', blobs: { s: 1 } },
    'about the signature': { subject: 'signature' },
    loose: {},
    'about the loose': { subject: 'loose' },
  };
  expect(figures(repository('a', { v1: 'image' }, made))).toEqual({ a: [51, 0, 20] });
});

test('manifests that name each other end', () => {
  const made = { m1: { manifests: ['m2'] }, m2: { manifests: ['m1'], subject: 'm1' } };
  expect(figures(repository('a', { v1: 'm1' }, made))).toEqual({ a: [20, 0, 0] });
});

test('a tag whose manifest is gone takes nothing', () => {
  expect(figures(repository('a', { v1: 'gone' }, {}))).toEqual({ a: [0, 0, 0] });
});
