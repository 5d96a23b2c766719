import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Reserve } from '../low-water.ts';
import { Secret } from '../secret.ts';
import type { Storage } from '../settings/storage.ts';
import { diskState, expectRoom, watchedDisk } from './image-disk.ts';

const folder = () => mkdtemp(join(tmpdir(), 'images-'));
const BUCKET: Storage = {
  kind: 's3',
  endpoint: undefined,
  region: 'us-east-1',
  bucket: 'images',
  accessKey: 'AKIA7',
  secretKey: new Secret('a/b+c'),
  rootDirectory: '',
  pathStyle: false,
  redirect: false,
  trust: undefined,
};
const wishes = (registryDataDirectory: string, diskReserve: Reserve, by: 'gate' | 'registry' = 'gate') => ({
  storage: { kind: 'filesystem' } as const,
  registryDataDirectory,
  diskReserve,
  auth: { by, ttl: 60 },
});
const state = (...wanted: Parameters<typeof wishes>) => diskState(wishes(...wanted));

test('a disk with more than its mark has enough, and one with less is low', async () => {
  const place = await folder();
  expect(await state(place, { bytes: 1 })).toMatchObject({ kind: 'enough', mark: 1 });
  expect(await state(place, { share: 1 })).toMatchObject({ kind: 'low' });
});

test('nobody sees to a mark without a gate, without a disk, or where nothing is to stay free', async () => {
  const place = await folder();
  const because = async (wanted: Parameters<typeof diskState>[0]) => {
    expect(await watchedDisk(wanted)).toBeUndefined();
    return diskState(wanted);
  };
  const unwatched = (setting: string) => ({ kind: 'unwatched', because: setting });
  expect(await because(wishes(place, { share: 1 }, 'registry'))).toEqual(unwatched('AUTH'));
  expect(await because(wishes(place, { bytes: 0 }))).toEqual(unwatched('DISK_RESERVE'));
  expect(await because({ ...wishes(place, { share: 1 }), storage: BUCKET })).toEqual(unwatched('STORAGE'));
});

test('a disk that can’t be looked at is said to be unknown', async () => {
  const there = await state('/nowhere/at/all', { bytes: 1 });
  expect(there).toMatchObject({ kind: 'unknown', because: expect.stringContaining('ENOENT') });
});

test('a disk too small from the start is refused with what to change; one that became so is told', async () => {
  const place = await folder();
  const low = wishes(place, { share: 1 });
  await expect(expectRoom(low)).rejects.toMatchObject({
    code: 'disk-full',
    remedy: expect.stringMatching(/REGISTRY_DATA_DIR.*DISK_RESERVE/),
  });
  await writeFile(join(place, 'docker'), '');
  expect(await expectRoom(low)).toMatchObject({
    summary: expect.stringMatching(/only .* free of .*: pushes are refused/),
    value: { kind: 'low' },
  });
  expect(await expectRoom(wishes(place, { bytes: 1 }))).toMatchObject({ value: { kind: 'enough' } });
});
