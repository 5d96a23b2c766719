import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { paths } from '../paths.ts';
import { noteBegun } from '../relocation/begun.ts';
import { leaseLine } from '../stack/lease.ts';
import { noteLastPlace } from '../storage/last-place.ts';
import { openJournal } from './app.ts';
import { withImagesInPlace, withStorage } from './storage.ts';

const clock = new FakeClock('2026-06-15T12:00:00Z');
let app: { paths: ReturnType<typeof paths>; clock: FakeClock };

beforeEach(async () => {
  app = { paths: paths(await mkdtemp(join(tmpdir(), 'storage-'))), clock };
  await mkdir(app.paths.maintenance, { recursive: true });
});

const hold = (holder: string) =>
  writeFile(join(app.paths.maintenance, `${holder}.lease`), leaseLine('collecting', clock.now()));
const use = () => withStorage(app, 'npm run backup', async () => 'done');

test.each([
  ['its collector works', 'collector'],
  ['its collector may just be starting', 'gc'],
])('after a collection that was killed nobody touches what is stored while %s', async (_, holder) => {
  await hold(holder);
  await expect(use()).rejects.toMatchObject({ code: 'locked' });
  await clock.sleep(31_000);
  expect(await use()).toBe('done');
});

const filesystem = { kind: 'filesystem' } as const;
const useImages = (registryDataDirectory: string) =>
  withImagesInPlace(
    app,
    { storage: filesystem, registryDataDirectory },
    'npm run backup',
    async () => 'done',
  );

test('images that have yet to follow a changed REGISTRY_DATA_DIR are not looked for in the new folder', async () => {
  const [from, to] = [join(app.paths.root, 'old'), join(app.paths.root, 'new')];
  await mkdir(join(from, 'docker/registry/v2/repositories/app'), { recursive: true });
  await noteLastPlace(app.paths.lastPlace, { place: from, used: true });
  await expect(useImages(to)).rejects.toMatchObject({ code: 'images-elsewhere' });
  expect(await useImages(from)).toBe('done');
});

test('nor in one that has images of its own, such as the old place of a move: they are others', async () => {
  const [from, to] = [join(app.paths.root, 'now'), join(app.paths.root, 'before')];
  for (const folder of [from, to])
    await mkdir(join(folder, 'docker/registry/v2/repositories/app'), { recursive: true });
  await noteLastPlace(app.paths.lastPlace, { place: from, used: true });
  await expect(useImages(to)).rejects.toMatchObject({ code: 'images-elsewhere' });
  await symlink(from, join(app.paths.root, 'link'));
  expect(await useImages(join(app.paths.root, 'link'))).toBe('done');
});

test('the daemon in its container, which knows the folder by another path, goes on', async () => {
  const folder = join(app.paths.root, 'registry/data');
  await mkdir(join(folder, 'docker/registry/v2/repositories/app'), { recursive: true });
  await noteLastPlace(app.paths.lastPlace, { place: '/srv/images-as-the-host-knows-them', used: true });
  expect(await useImages(folder)).toBe('done');
});

test('nor are those of a move that was cut off, whatever the settings say', async () => {
  const places = { from: join(app.paths.root, 'old'), to: join(app.paths.root, 'new') };
  await noteBegun(openJournal(app, 'storage'), { ...places, compared: 0 }, 'copy');
  for (const folder of Object.values(places))
    await expect(useImages(folder)).rejects.toMatchObject({
      code: 'interrupted',
      remedy: expect.stringMatching(/storage -- move.*storage -- cancel/), // whose own advice may be to restore, or to prune
    });
});
