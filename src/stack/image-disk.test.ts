import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Reserve } from '../low-water.ts';
import { expectRoom } from './folders.ts';
import { diskState } from './image-disk.ts';

const folder = () => mkdtemp(join(tmpdir(), 'images-'));
const state = (registryDataDirectory: string, diskReserve: Reserve, by: 'gate' | 'registry' = 'gate') =>
  diskState({ registryDataDirectory, diskReserve, auth: { by, ttl: 60 } });

test('a disk with more than its mark has enough, and one with less is low', async () => {
  const place = await folder();
  expect(await state(place, { bytes: 1 })).toMatchObject({ kind: 'enough', mark: 1 });
  expect(await state(place, { share: 1 })).toMatchObject({ kind: 'low' });
});

test('nobody sees to a mark without a gate, or where nothing is to stay free', async () => {
  const place = await folder();
  expect(await state(place, { share: 1 }, 'registry')).toEqual({ kind: 'unwatched' });
  expect(await state(place, { bytes: 0 })).toEqual({ kind: 'unwatched' });
});

test('a disk that can’t be looked at is said to be unknown', async () => {
  const there = await state('/nowhere/at/all', { bytes: 1 });
  expect(there).toMatchObject({ kind: 'unknown', because: expect.stringContaining('ENOENT') });
});

test('a disk too small from the start is refused with what to change; one that became so is told', async () => {
  const place = await folder();
  const low = await state(place, { share: 1 });
  await expect(expectRoom(place, low)).rejects.toMatchObject({
    code: 'disk-full',
    remedy: expect.stringMatching(/REGISTRY_DATA_DIR.*DISK_RESERVE/),
  });
  await writeFile(join(place, 'docker'), '');
  expect((await expectRoom(place, low)).summary).toMatch(/only .* are kept free: pushes are refused/);
  expect((await expectRoom(place, await state(place, { bytes: 1 }))).summary).toBe(place);
});
