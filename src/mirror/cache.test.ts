import { mkdir, mkdtemp, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { digestOf } from '../registry/digest.ts';
import { Cache } from './cache.ts';

const DAY = 24 * 60 * 60_000;
const NOW = new Date('2026-01-31T00:00:00Z');
const ago = (ms: number) => new Date(NOW.getTime() - ms);

async function cacheWith(free = Number.POSITIVE_INFINITY) {
  const folder = await mkdtemp(join(tmpdir(), 'cache-'));
  const root = join(folder, 'docker/registry/v2');
  const file = async (path: string, content: string, modified: Date, accessed = modified) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
    await utimes(join(root, path), accessed, modified);
  };
  return {
    cache: new Cache(folder, new FakeClock(NOW.toISOString()), async () => ({ free, size: free * 2 })),
    file,
    blob: (content: string, modified: Date, accessed?: Date) =>
      file(pathOf(content), content, modified, accessed),
    there: async (path: string) =>
      stat(join(root, path)).then(
        () => true,
        () => false,
      ),
    root,
  };
}

function pathOf(content: string): string {
  const hex = digestOf(Buffer.from(content)).slice('sha256:'.length);
  return `blobs/sha256/${hex.slice(0, 2)}/${hex}/data`;
}

const retention = { keep: 7 * DAY, reserve: { bytes: 1000 } };

test('an empty cache has nothing to drop', async () => {
  const { cache } = await cacheWith(0);
  for (const dropped of [
    await cache.dropOld(retention),
    await cache.dropForSpace(retention),
    await cache.dropBroken(),
  ])
    expect(dropped).toEqual({ blobs: 0, bytes: 0 });
});

test('what was fetched longer ago than it is kept goes, with its links; what is newer stays', async () => {
  const { cache, blob, file, there, root } = await cacheWith();
  await blob('old', ago(7 * DAY + 1000), ago(0)); // though it was used today
  await blob('new', ago(7 * DAY - 1000));
  const link = (name: string) => `repositories/a/_layers/sha256/${name}/link`;
  await file(link('old'), 'sha256:…', ago(8 * DAY));
  await file(link('new'), 'sha256:…', ago(DAY));
  expect(await cache.dropOld(retention)).toEqual({ blobs: 1, bytes: 3 });
  expect([await there(pathOf('old')), await there(pathOf('new'))]).toEqual([false, true]);
  expect(await readdir(join(root, 'repositories/a/_layers/sha256'))).toEqual(['new']);
});

test('what a pull that was cut has left goes after an hour, and an empty blob after a minute', async () => {
  const { cache, file, there } = await cacheWith();
  const upload = (id: string) => `repositories/a/_uploads/${id}/data`;
  await file(upload('dead'), 'half', ago(DAY));
  await file(upload('alive'), 'half', ago(60_000));
  await file('blobs/sha256/aa/aa00/data', '', ago(120_000));
  await file('blobs/sha256/bb/bb00/data', '', ago(1000));
  await cache.dropOld(retention);
  expect([await there(upload('dead')), await there(upload('alive'))]).toEqual([false, true]);
  expect([await there('blobs/sha256/aa/aa00/data'), await there('blobs/sha256/bb/bb00/data')]).toEqual([
    false,
    true,
  ]);
});

test('where space is short, what was used least recently goes, and no more than is needed', async () => {
  const { cache, blob, there } = await cacheWith(1090);
  await blob('used long ago', ago(6 * DAY));
  await blob('fetched long ago, used today', ago(6 * DAY), ago(1000));
  await blob('fetched today', ago(2000));
  expect(await cache.dropForSpace(retention)).toEqual({ blobs: 1, bytes: 13 });
  expect(await there(pathOf('used long ago'))).toBe(false);
  expect(await there(pathOf('fetched long ago, used today'))).toBe(true);
});

test('where there is space, nothing goes', async () => {
  const { cache, blob } = await cacheWith(1100);
  await blob('x', ago(DAY));
  expect(await cache.dropForSpace(retention)).toEqual({ blobs: 0, bytes: 0 });
});

test('a blob that is not what it is called goes', async () => {
  const { cache, blob, file, there } = await cacheWith();
  await blob('whole', ago(DAY));
  await file(pathOf('torn'), 'tor', ago(DAY));
  expect(await cache.dropBroken()).toEqual({ blobs: 1, bytes: 3 });
  expect([await there(pathOf('whole')), await there(pathOf('torn'))]).toEqual([true, false]);
});
