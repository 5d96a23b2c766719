import { expect, test } from 'vitest';
import { contentOf } from './manifest.ts';

const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: 'sha256:c', size: 7 };
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: 'sha256:l', size: 1000 };
const content = (manifest: unknown) => contentOf(Buffer.from(JSON.stringify(manifest)));

test('an image: its config and its layers', () => {
  const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
  const manifest = { schemaVersion: 2, mediaType, config, layers: [layer, layer] };
  expect(content(manifest)).toEqual({
    mediaType,
    bytes: JSON.stringify(manifest).length,
    blobs: [
      { digest: 'sha256:c', bytes: 7 },
      { digest: 'sha256:l', bytes: 1000 },
      { digest: 'sha256:l', bytes: 1000 },
    ],
    manifests: [],
    subject: undefined,
  });
});

test('an index: its manifests, by whichever media type', () => {
  const manifests = [{ ...layer, platform: { os: 'linux', architecture: 'arm64' } }];
  expect(content({ schemaVersion: 2, manifests })).toMatchObject({
    mediaType: 'application/vnd.oci.image.index.v1+json',
    blobs: [],
    manifests: [{ digest: 'sha256:l', bytes: 1000 }],
  });
});

test('an empty index is one', () => {
  expect(content({ schemaVersion: 2, manifests: [] })?.mediaType).toContain('index');
});

test('a signature: what it is about', () => {
  const about = { schemaVersion: 2, config, layers: [], subject: { ...layer, digest: 'sha256:s' } };
  expect(content(about)?.subject).toBe('sha256:s');
  expect(content({ ...about, subject: null })?.subject).toBeUndefined();
});

test('an artifact manifest of the OCI’s first draft: its blobs', () => {
  expect(content({ mediaType: 'a/b', blobs: [layer] })?.blobs).toEqual([{ digest: 'sha256:l', bytes: 1000 }]);
});

test('schema 1: its layers, of unknown size', () => {
  const fsLayers = [{ blobSum: 'sha256:a' }, { blobSum: 'sha256:b' }];
  expect(content({ schemaVersion: 1, fsLayers })?.blobs).toEqual([
    { digest: 'sha256:a', bytes: 0 },
    { digest: 'sha256:b', bytes: 0 },
  ]);
});

test('without a media type an image is an OCI image', () => {
  expect(content({ schemaVersion: 2, config, layers: [] })?.mediaType).toBe(
    'application/vnd.oci.image.manifest.v1+json',
  );
});

test.each([
  ['nothing', ''],
  ['half a manifest', '{"schemaVersion":2,"config":{"dig'],
  ['no object', '[]'],
  ['a number', '7'],
  ['a layer without a digest', '{"layers":[{"size":1}]}'],
  ['a size that is none', '{"layers":[{"digest":"sha256:a","size":"1"}]}'],
  ['bytes', '\u0000\u0001\ufffd'],
])('%s is no manifest', (_, text) => {
  expect(contentOf(Buffer.from(text))).toBeUndefined();
});

test('what Go writes for nothing, and takes, is no damage', () => {
  const nothing = {
    mediaType: null,
    config: null,
    layers: null,
    blobs: null,
    manifests: null,
    subject: null,
  };
  expect(content({ schemaVersion: 2, ...nothing })).toMatchObject({ blobs: [], manifests: [] });
  const sizes = { config: { digest: 'sha256:c', mediaType: null }, layers: [{ ...layer, size: null }] };
  expect(content({ schemaVersion: 2, ...sizes })?.blobs).toEqual([
    { digest: 'sha256:c', bytes: 0 },
    { digest: 'sha256:l', bytes: 0 },
  ]);
});

test('what distribution takes without a look at it is no damage either', () => {
  const odd = { config, layers: [layer], subject: 'me', blobs: 7, fsLayers: [{}] };
  expect(content({ schemaVersion: 2, ...odd })).toMatchObject({
    blobs: [{ digest: 'sha256:c' }, { digest: 'sha256:l' }],
    subject: undefined,
  });
});
