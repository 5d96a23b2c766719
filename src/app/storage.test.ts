import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { paths } from '../paths.ts';
import { leaseLine } from '../stack/lease.ts';
import { withStorage } from './storage.ts';

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
