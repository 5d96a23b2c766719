import { beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { RegistryDisk, slashed } from '../../test/support/registry-disk.ts';
import type { Reference } from './route.ts';
import { Stored } from './stored.ts';

const OCI = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const A_SECOND = 1000;
const V1: Reference = { kind: 'tag', tag: 'v1' };

let disk: RegistryDisk;
let clock: FakeClock;
let stored: Stored;

beforeEach(async () => {
  disk = await RegistryDisk.make();
  clock = new FakeClock('2026-01-01T00:00:00Z');
  stored = new Stored(disk.root, clock);
});

const manifest = (more: object = {}) => JSON.stringify({ schemaVersion: 2, mediaType: OCI, ...more });
const found = async (reference = V1, repository = 'team/app') =>
  (await stored.manifest(repository, reference))?.digest;

describe('a blob', () => {
  test('is found in the repository that links it, and in no other', async () => {
    const digest = await disk.layer('team/app', 'layer');
    const hex = digest.slice(7);
    const blob = await stored.blob('team/app', digest);
    expect(blob).toEqual({ digest, path: `/blobs/sha256/${hex.slice(0, 2)}/${hex}/data` });
    expect(blob && (await stored.sizeOf(blob))).toBe(5);
    for (const other of ['team/other', 'team', 'team/app/deeper'])
      expect(await stored.blob(other, digest)).toBeUndefined();
  });

  test.each([
    ['another digest', (digest: string) => digest.replace(/.$/, (last) => (last === '0' ? '1' : '0'))],
    ['nothing', () => ''],
    ['the digest and a line break', (digest: string) => `${digest}\n`],
  ])('is not found by a link to %s', async (_, target) => {
    const digest = await disk.store('layer');
    await disk.link(`team/app/_layers/${slashed(digest)}`, target(digest));
    expect(await stored.blob('team/app', digest)).toBeUndefined();
  });

  test('is no manifest’s, whose revision is linked elsewhere', async () => {
    const digest = await disk.manifest('team/app', 'v1', manifest());
    expect(await stored.blob('team/app', digest)).toBeUndefined();
  });

  test('by another algorithm is the registry’s', async () => {
    expect(await stored.blob('team/app', `sha512:${'a'.repeat(128)}`)).toBeUndefined();
  });

  test('that was deleted is gone at once, by whoever behind the gate’s back within a second', async () => {
    const digest = await disk.layer('team/app', 'layer');
    expect(await stored.blob('team/app', digest)).toBeDefined();
    await disk.unlink(`team/app/_layers/${slashed(digest)}`);
    clock.set(new Date(clock.now().getTime() + A_SECOND));
    expect(await stored.blob('team/app', digest)).toBeUndefined();
    await disk.layer('team/app', 'layer');
    expect(await stored.blob('team/app', digest)).toBeDefined();
    await disk.unlink(`team/app/_layers/${slashed(digest)}`);
    stored.changed();
    expect(await stored.blob('team/app', digest)).toBeUndefined();
  });

  test('is looked for anew when the clock was set back', async () => {
    const digest = await disk.layer('team/app', 'layer');
    expect(await stored.blob('team/app', digest)).toBeDefined();
    await disk.unlink(`team/app/_layers/${slashed(digest)}`);
    clock.set(new Date(clock.now().getTime() - 3600 * A_SECOND));
    expect(await stored.blob('team/app', digest)).toBeUndefined();
  });
});

describe('a manifest', () => {
  test('is found by its tag and by its digest, byte for byte', async () => {
    const text = `${manifest({ layers: [] })}\n`;
    const digest = await disk.manifest('team/app', 'v1', text);
    const expected = { digest, mediaType: OCI, bytes: Buffer.from(text) };
    expect(await stored.manifest('team/app', V1)).toEqual(expected);
    expect(await stored.manifest('team/app', { kind: 'digest', digest })).toEqual(expected);
    expect(await stored.manifest('team/other', { kind: 'digest', digest })).toBeUndefined();
  });

  test.each([
    'application/vnd.docker.distribution.manifest.v2+json',
    'application/vnd.docker.distribution.manifest.list.v2+json',
    INDEX,
  ])('may be %s', async (mediaType) => {
    await disk.manifest('team/app', 'v1', manifest({ mediaType }));
    expect(await stored.manifest('team/app', V1)).toMatchObject({ mediaType });
  });

  test.each([
    ['of version 1', '{"schemaVersion":1}'],
    ['without a type', '{"schemaVersion":2}'],
    ['of an unknown type', manifest({ mediaType: 'application/json' })],
    ['whose type is a name of every object', manifest({ mediaType: 'constructor' })],
    ['whose type stands there twice for Go', manifest({ MediaType: INDEX })],
    ['that is also an index', manifest({ manifests: [] })],
    ['that is an index with layers', manifest({ mediaType: INDEX, Layers: [] })],
    ['that is no object', '[2]'],
    ['that is no JSON', '{'],
  ])('%s is the registry’s', async (_, text) => {
    await disk.manifest('team/app', 'v1', text);
    expect(await found()).toBeUndefined();
    expect(await found()).toBeUndefined(); // remembered
  });

  test('of more than 4 MiB is the registry’s', async () => {
    await disk.manifest('team/app', 'v1', manifest({ annotations: { a: 'a'.repeat(4 * 1024 * 1024) } }));
    expect(await found()).toBeUndefined();
  });

  test('that is damaged is the registry’s, until it is mended', async () => {
    const digest = await disk.manifest('team/app', 'v1', manifest());
    await disk.damage(digest, manifest({ layers: [] }));
    expect(await found()).toBeUndefined();
    await disk.damage(digest, manifest());
    expect(await found()).toBe(digest);
  });

  test('is not served from a tag whose revision is gone', async () => {
    const digest = await disk.manifest('team/app', 'v1', manifest());
    await disk.unlink(`team/app/_manifests/revisions/${slashed(digest)}`);
    expect(await found()).toBeUndefined();
  });
});

describe('what was looked up', () => {
  test('is void once a push has ended', async () => {
    const before = await disk.manifest('team/app', 'v1', manifest());
    expect(await found()).toBe(before);
    const after = await disk.manifest('team/app', 'v1', manifest({ layers: [] }));
    stored.changed();
    expect(await found()).toBe(after);
  });

  test('and so is what was being looked up: it is not remembered beyond the push', async () => {
    const before = await disk.manifest('team/app', 'v1', manifest());
    const underWay = found();
    const after = await disk.manifest('team/app', 'v1', manifest({ layers: [] }));
    stored.changed();
    expect([before, after]).toContain(await underWay);
    expect(await found()).toBe(after);
  });

  test.each([
    ['a tag that was moved', (digest: string) => disk.tag('team/app', 'v1', digest.replace(/.$/, 'x'))],
    ['a tag that was removed', () => disk.unlink('team/app/_manifests/tags/v1/current')],
    [
      'a revision that was removed',
      (digest: string) => disk.unlink(`team/app/_manifests/revisions/${slashed(digest)}`),
    ],
    ['bytes that were collected', (digest: string) => disk.collect(digest)],
  ])('by others than the registry, is seen within a second: %s', async (_, change) => {
    const digest = await disk.manifest('team/app', 'v1', manifest());
    expect(await found()).toBe(digest);
    await change(digest);
    clock.set(new Date(clock.now().getTime() + A_SECOND));
    expect(await found()).toBeUndefined();
  });

  test('and was not found is looked up again', async () => {
    expect(await found()).toBeUndefined();
    const digest = await disk.manifest('team/app', 'v1', manifest());
    expect(await found()).toBe(digest);
  });
});
