import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { expect, test } from 'vitest';
import { paths } from '../paths.ts';
import { bindsBrowsers, recordFindings } from './generated.ts';
import { loadSettings } from './load.ts';
import { PINNED } from './schema.ts';

const LAST_VERSION = `DOMAIN=localhost

# --- Written by init-tls. Change the settings above instead. ---
REGISTRY_HTTP_SECRET=secret-of-then-that-is-long-enough
RENEWER_IMAGE=moorage/renewer:0.1.0-0123456789ab
RENEWER_USER=1000:1000
`;

test('what the version before the gate wrote into .env becomes what this one needs', async () => {
  const places = paths(await mkdtemp(join(tmpdir(), 'moorage-generated-')));
  await writeFile(places.envFile, LAST_VERSION);
  const settings = await loadSettings(places, {});
  const images = { renewer: 'moorage/renewer:now', gate: 'moorage/gate:now' };
  await recordFindings({ paths: places, environment: {}, owner: '1000:1000' }, settings, images);
  expect(parse(await readFile(places.envFile, 'utf8'))).toEqual({
    DOMAIN: 'localhost',
    REGISTRY_HTTP_SECRET: 'secret-of-then-that-is-long-enough',
    RENEWER_IMAGE: 'moorage/renewer:now',
    GATE_IMAGE: 'moorage/gate:now',
    STATE_OWNER: '1000:1000',
  });
});

test.each([
  [['registry.example.com', '203.0.113.9'], true],
  [['localhost'], false],
  [['registry.example.com', 'registry.lan'], false],
  [['192.168.1.2'], false],
])('browsers are bound to HTTPS for public names alone: %j', (names, bound) => {
  expect(bindsBrowsers({ names })).toBe(bound);
});

test.each([
  ['', undefined],
  ['SERVE_BLOBS=registry', 'registry'],
  ['AUTH=registry', 'registry'],
  ['STORAGE=s3\nS3_BUCKET=images\nS3_ACCESS_KEY=AKIA7\nS3_SECRET_KEY=a/b+c', 'registry'],
])('Compose is told who sends blobs, where that is not nginx: %j', async (line, expected) => {
  const places = paths(await mkdtemp(join(tmpdir(), 'moorage-generated-')));
  await writeFile(places.envFile, `${line}\n`);
  const settings = await loadSettings(places, {});
  await recordFindings({ paths: places, environment: {}, owner: '1000:1000' }, settings, {});
  expect(parse(await readFile(places.envFile, 'utf8')).BLOBS_BY).toBe(expected);
});

test.each([
  ['IMAGES=load', 'registry:3.0.0', 'registry:3.0.0'],
  ['IMAGES=load', PINNED.registry, undefined],
  ['IMAGES=load\nREGISTRY_IMAGE=registry:3.0.0', 'registry:3.0.0', undefined],
  ['', 'registry:3.0.0', undefined],
  ['', 'moorage/registry:2.8', 'moorage/registry:2.8'],
])(
  'Compose is told the image that an archive has, where it would not know it: %j %s',
  async (line, image, told) => {
    const places = paths(await mkdtemp(join(tmpdir(), 'moorage-generated-')));
    await writeFile(places.envFile, `${line}\n`);
    const settings = await loadSettings(places, {});
    const place = { paths: places, environment: {}, owner: '1000:1000' };
    await recordFindings(place, settings, { registry: image });
    expect(parse(await readFile(places.envFile, 'utf8')).BUILT_REGISTRY_IMAGE).toBe(told);
  },
);
