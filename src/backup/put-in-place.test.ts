import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Paths, paths } from '../paths.ts';
import { moveAside, putInPlace } from './put-in-place.ts';
import { imagesStage } from './stage-images.ts';
import { settingsStage } from './stage-settings.ts';

let places: Paths;
let staged: { snapshot: string; stamp: string; data: string };

const put = async (file: string, text: string) => {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
};
const at = (path: string) => readFile(join(places.root, path), 'utf8').catch(() => undefined);

beforeEach(async () => {
  places = paths(await mkdtemp(join(tmpdir(), 'moorage-place-')));
  staged = { snapshot: 'f00', stamp: 'now', data: join(places.root, 'registry/data') };
  for (const path of ['.env', 'registry/auth/tokens.json', 'var/tls/current', 'registry/data/docker/image'])
    await put(join(places.root, path), 'old');
  await put(join(places.root, 'registry/auth/access.yaml.example'), 'example');
  for (const path of ['.env', 'registry/auth/registry.password', 'var/tls/current'])
    await put(join(settingsStage(places), path), 'new');
  await put(join(imagesStage(staged.data), 'images/docker/image'), 'new');
});

afterEach(() => rm(places.root, { recursive: true }));

test('what was there is kept, what is restored takes its place, and examples stay', async () => {
  await moveAside(places, staged);
  await putInPlace(places, staged);
  expect(await Promise.all(['.env', 'registry/auth/registry.password', 'var/tls/current'].map(at))).toEqual([
    'new',
    'new',
    'new',
  ]);
  expect(await at('registry/data/docker/image')).toBe('new');
  expect(await at('registry/auth/tokens.json')).toBeUndefined();
  expect(await at('registry/auth/access.yaml.example')).toBe('example');
  expect(await at('var/before-restore-now/registry/auth/tokens.json')).toBe('old');
  expect(await at('var/before-restore-now/.env')).toBe('old');
  expect(await at('registry/data/before-restore-now/docker/image')).toBe('old');
  expect(await readdir(places.backups)).toEqual([]);
});

test('each half, begun again where it was killed, comes to the same end', async () => {
  await moveAside(places, staged);
  await moveAside(places, staged);
  await put(join(places.root, '.env'), 'new'); // as if killed after the first rename
  await rm(join(settingsStage(places), '.env'));
  await putInPlace(places, staged);
  await putInPlace(places, staged);
  expect(await at('.env')).toBe('new');
  expect(await at('var/tls/current')).toBe('new');
  expect(await at('registry/data/docker/image')).toBe('new');
});
