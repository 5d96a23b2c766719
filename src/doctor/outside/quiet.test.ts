import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { paths } from '../../paths.ts';
import { leaseLine } from '../../stack/lease.ts';
import { withLock } from '../../system/lock.ts';
import { awaitQuiet } from './quiet.ts';

const MINUTES = 60_000;

let places: ReturnType<typeof paths>;
let clock: FakeClock;
let told: string[];

beforeEach(async () => {
  places = paths(await mkdtemp(join(tmpdir(), 'quiet-')));
  clock = new FakeClock('2026-11-22T02:00:00Z');
  told = [];
  await mkdir(places.maintenance, { recursive: true });
});

/** `meanwhile` is done whenever it says for whom it waits. */
const quiet = (meanwhile: () => void | Promise<void> = () => undefined) =>
  awaitQuiet(
    { paths: places, clock },
    {
      patience: 5 * MINUTES,
      onWait: (line) => {
        told.push(line);
        void meanwhile();
      },
    },
  );
const lease = (name: string) => join(places.maintenance, `${name}.lease`);

test('where nobody is at work nobody waits', async () => {
  expect(await quiet()).toMatchObject({ patience: 5 * MINUTES });
  expect(told).toEqual([]);
});

test('whoever replaces parts is waited for, and named', async () => {
  let waited: Promise<unknown> | undefined;
  await withLock(join(places.state, 'locks/init-tls'), 'npm run upgrade', clock, async () => {
    await new Promise<void>((resolve) => {
      waited = quiet(resolve);
    });
  });
  await waited;
  expect(told[0]).toMatch(/^waiting: npm run upgrade is running/);
});

test('closed writes are waited for; that a registry has moved away is no reason to', async () => {
  await writeFile(lease('moved'), leaseLine('closed', clock.now()));
  await writeFile(lease('gc'), leaseLine('closed', clock.now()));
  await quiet(() => rm(lease('gc'), { force: true }));
  expect(told[0]).toBe('waiting: gc has closed writes for a while.');
});

test('after five minutes it goes on all the same', async () => {
  await withLock(join(places.state, 'locks/init-tls'), 'npm run init-tls', clock, async () => {
    expect(await quiet()).toMatchObject({ patience: 0 });
  });
});
