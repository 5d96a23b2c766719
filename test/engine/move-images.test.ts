import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { claim, expectClaimed, judgeOccupancy, lookThere } from '../../src/move/arrival.ts';
import { expectSameLinks, sendImages } from '../../src/move/images.ts';
import { MOVE_FILE, moveText } from '../../src/stack/moved.ts';
import { hereAsThere as host } from '../support/here-as-there.ts';

const LINK = 'docker/registry/v2/repositories/app/_manifests/tags/1/current/link';

let far: { host: typeof host; folder: string };
let disks: { here: string; there: string };

beforeEach(async () => {
  const root = await mkdtemp(join(tmpdir(), 'move-images-'));
  far = { host, folder: join(root, 'checkout') };
  disks = { here: join(root, 'here'), there: join(root, 'there') };
  await put(disks.here, LINK, 'sha256:1');
});

async function put(root: string, path: string, content: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

const announced = () =>
  put(
    far.folder,
    MOVE_FILE,
    moveText({ kind: 'coming', id: 'ours', other: 'old', folder: '/', since: new Date(0) }),
  );
const occupancy = async () => judgeOccupancy(await lookThere(far, disks.there, 'ours'), 'ours');

test('beside images nothing is removed there, though it stands in a folder that is called docker, too', async () => {
  await put(disks.there, 'docker/volumes/database/file', 'precious');
  await put(disks.there, LINK.replace('tags/1', 'tags/gone'), 'sha256:0');
  expect(await sendImages(far, disks, () => undefined)).toMatchObject({ changed: true });
  expect(await readFile(join(disks.there, 'docker/volumes/database/file'), 'utf8')).toBe('precious');
  expect(await readFile(join(disks.there, LINK), 'utf8')).toBe('sha256:1');
  // Nothing was ever pushed here but tags: there are no blobs to compare.
  expect(await expectSameLinks(far, disks)).toMatchObject({ changed: false });
});

test('a second try to a folder that has another registry’s images is refused', async () => {
  await announced();
  expect(await occupancy()).toBe('copy');
  await put(disks.there, LINK, 'sha256:theirs');
  expect(await occupancy()).toBe('occupied');
  await expect(expectClaimed(far, disks.there, 'ours')).rejects.toMatchObject({ code: 'occupied' });
});

test('a second try to where the first one began goes on', async () => {
  await announced();
  await claim(far, disks.there, 'ours');
  await sendImages(far, disks, () => undefined);
  expect(await occupancy()).toBe('copy');
  await expectClaimed(far, disks.there, 'ours');
});

test('and so does one back to where its images were before', async () => {
  await announced();
  await put(disks.there, LINK, 'sha256:before');
  await put(far.folder, 'var/storage.json', JSON.stringify({ place: disks.there, used: true }));
  expect(await occupancy()).toBe('copy');
});
