import { mkdir, mkdtemp, readdir, symlink } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { hereAsThere } from '../../test/support/here-as-there.ts';
import { type Clock, systemClock } from '../system/clock.ts';
import { hold } from './hold.ts';
import type { RemoteHost } from './host.ts';

let place: string;
let locks: string;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'hold-'));
  locks = join(place, 'run');
  await mkdir(locks);
});

const held = (
  folder: string,
  { host = hereAsThere, clock = systemClock, patience = 0, silence = 90 }: Partial<Circumstances> = {},
) =>
  hold(host, join(place, folder), {
    clock,
    command: 'npm run deploy',
    terms: { locks, patience, silence },
  });

interface Circumstances {
  readonly host: RemoteHost;
  readonly clock: Clock;
  readonly patience: number;
  readonly silence: number;
}

/** Whose connection can be cut. */
function cuttable(): { host: RemoteHost; cut: () => void } {
  const line = new AbortController();
  const run: RemoteHost['run'] = (command, options) =>
    hereAsThere.run(command, { ...options, signal: line.signal });
  return { host: { ...hereAsThere, run }, cut: () => line.abort() };
}

test('who comes second is told who is there and since when, and what to do', async () => {
  const first = await held('moorage');
  await expect(held('moorage')).rejects.toMatchObject({
    code: 'folder-taken',
    message: expect.stringMatching(
      new RegExp(
        `/moorage on root@new is being worked on: npm run deploy by .+@${hostname()}, since \\d{4}-.+ UTC$`,
      ),
    ),
    remedy: expect.stringContaining('then run this again'),
  });
  await first.close();
});

test('the same folder by another path is the same; another folder is nobody’s concern', async () => {
  await mkdir(join(place, 'moorage'));
  await symlink(join(place, 'moorage'), join(place, 'link'));
  const first = await held('moorage');
  await expect(held('link')).rejects.toMatchObject({ code: 'folder-taken' });
  const other = await held('other');
  await Promise.all([first.close(), other.close()]);
});

test('let go, nothing is left of it, and whoever waited has it alone', async () => {
  const first = await held('moorage');
  const second = held('moorage', { patience: 30 });
  await first.close();
  const theirs = await second;
  await expect(held('moorage')).rejects.toMatchObject({ code: 'folder-taken' });
  expect(await readdir(locks)).toHaveLength(1);
  await theirs.close();
  expect(await readdir(locks)).toEqual([]);
});

test('it falls with the connection, and whoever had it runs nothing there any more', async () => {
  const { host, cut } = cuttable();
  const first = await held('moorage', { host });
  cut();
  const second = await held('moorage', { patience: 30 });
  await expect.poll(() => first.run(['true']).catch(({ code }) => code)).toBe('connection-lost');
  await second.close();
  await first.close();
});

test('a connection that stands and says nothing any more is nobody’s', async () => {
  const silent: Clock = { ...systemClock, sleep: () => new Promise(() => undefined) };
  const first = await held('moorage', { clock: silent, silence: 1 });
  const second = await held('moorage', { patience: 30 });
  await expect.poll(() => first.run(['true']).catch(({ code }) => code)).toBe('connection-lost');
  await Promise.all([first.close(), second.close()]);
});

test('where no lock can be had it says why', async () => {
  await expect(
    hold(hereAsThere, place, {
      clock: systemClock,
      command: 'npm run deploy',
      terms: { locks: join(place, 'nowhere'), patience: 0, silence: 90 },
    }),
  ).rejects.toMatchObject({ code: 'folder-not-held', message: expect.stringContaining('nowhere') });
});
