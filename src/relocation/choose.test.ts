import { mkdir, mkdtemp, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { Journal } from '../journal.ts';
import { noteLastPlace } from '../storage/last-place.ts';
import { systemClock } from '../system/clock.ts';
import { noteBegun } from './begun.ts';
import { chooseRoute, routeByHand } from './choose.ts';
import { markNew } from './marks.ts';
import { expectApart, expectImages } from './preconditions.ts';

let root: string;
let journal: Journal;
let lastPlace: string;
let from: string;
let to: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'route-'));
  [from, to, lastPlace] = [join(root, 'old'), join(root, 'new'), join(root, 'storage.json')];
  journal = new Journal(join(root, 'journal.json'), systemClock);
  await images(from);
  await mkdir(to);
});

const images = (folder: string) =>
  mkdir(join(folder, 'docker/registry/v2/repositories/app'), { recursive: true });
const byHand = () =>
  routeByHand(journal, { root, lastPlace }, { storage: { kind: 'filesystem' }, registryDataDirectory: to });
const asked = (folder: string | undefined, registryDataDirectory = from) =>
  chooseRoute(
    journal,
    { root, lastPlace },
    { storage: { kind: 'filesystem' }, registryDataDirectory },
    folder,
  );

test('images come along where the last place has some and the new one has none', async () => {
  await noteLastPlace(lastPlace, { place: from, used: true });
  expect(await byHand()).toEqual({ from, to, begun: false });
});

test('so do those that were pushed after init-tls had noted the place, which held none then', async () => {
  await noteLastPlace(lastPlace, { place: from, used: false });
  expect(await byHand()).toEqual({ from, to, begun: false });
});

test.each<[string, () => Promise<unknown>]>([
  ['no last place is known', async () => undefined],
  ['it never held any', () => noteLastPlace(lastPlace, { place: join(root, 'empty'), used: false })],
  ['it is the same', () => noteLastPlace(lastPlace, { place: to, used: true })],
  ['it is a bucket', () => noteLastPlace(lastPlace, { place: 'bucket images at https://s3', used: true })],
  ['its disk is not there', () => noteLastPlace(lastPlace, { place: join(root, 'gone'), used: true })],
  [
    'the new one has images of its own',
    async () => {
      await noteLastPlace(lastPlace, { place: from, used: true });
      await images(to);
    },
  ],
])('nothing comes along where %s', async (_, given) => {
  await given();
  expect(await byHand()).toBeUndefined();
});

test('what a killed move has copied is no registry of its own', async () => {
  await noteLastPlace(lastPlace, { place: from, used: true });
  await images(to);
  await markNew(to, { checkout: root, from });
  expect(await byHand()).toEqual({ from, to, begun: true });
});

test('an interrupted move is gone on with, by its folder or without one, and by no other', async () => {
  await noteBegun(journal, { from, to, compared: 0 }, 'copy');
  expect(await asked(undefined)).toEqual({ from, to, begun: true });
  expect(await asked(to)).toEqual({ from, to, begun: true });
  await expect(asked('/other')).rejects.toMatchObject({ code: 'move-unfinished' });
});

test('images are not said to be in a folder that somebody has only written into .env', async () => {
  await noteLastPlace(lastPlace, { place: from, used: true });
  expect(await asked(to, to)).toEqual({ from, to, begun: false });
  await images(to);
  expect(await asked(to, to)).toBe('there already');
});

test('while one is interrupted init-tls does not begin in a third folder, and goes on in the old one', async () => {
  const settings = (registryDataDirectory: string) =>
    routeByHand(journal, { root, lastPlace }, { storage: { kind: 'filesystem' }, registryDataDirectory });
  await noteBegun(journal, { from, to, compared: 0 }, 'copy');
  expect(await settings(from)).toBeUndefined();
  await expect(settings(join(root, 'third'))).rejects.toMatchObject({ code: 'move-unfinished' });
});

test('one whose notes can’t be read can’t be gone on with', async () => {
  await journal.begin();
  for (const folder of [undefined, from])
    await expect(asked(folder)).rejects.toMatchObject({
      code: 'move-unreadable',
      remedy: expect.stringContaining('npm run storage -- cancel'),
    });
});

test('without one a folder is needed, and another than it is', async () => {
  await expect(asked(undefined)).rejects.toThrow(/DIR: is missing/);
  expect(await asked(from)).toBe('there already');
});

const apart = (one: string, other: string) =>
  expectApart({ from: one, to: other }, { storage: { kind: 'filesystem' } });

test('folders in each other are refused, over links as well', async () => {
  await expect(apart(from, join(from, 'in/it'))).rejects.toThrow(/in each other/);
  await expect(apart(join(from, 'in/it'), from)).rejects.toThrow(/in each other/);
  await symlink(from, join(root, 'link'));
  await expect(apart(from, join(root, 'link/in/it'))).rejects.toThrow(/in each other/);
  await apart(from, `${from}-too`);
});

test('a folder without images is a disk that is missing: nothing is moved from there', async () => {
  await expectImages({ from });
  await expect(expectImages({ from: to })).rejects.toMatchObject({ code: 'no-images' });
});
