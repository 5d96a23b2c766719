import { mkdir, mkdtemp, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { Journal } from '../journal.ts';
import { readUnderWay } from './under-way.ts';

const since = new Date('2026-07-01T12:00:00Z');
let places: { state: string; journals: string };
let clock: FakeClock;

beforeEach(async () => {
  const state = await mkdtemp(join(tmpdir(), 'under-way-'));
  places = { state, journals: join(state, 'journal') };
  clock = new FakeClock(since.toISOString());
});

async function lock(name: string, beat: Date): Promise<void> {
  await mkdir(join(places.state, 'locks'), { recursive: true });
  await writeFile(join(places.state, 'locks', name), '');
  await utimes(join(places.state, 'locks', name), beat, beat);
}

const look = () => readUnderWay(places, clock);

test('nothing, where no command of several steps was ever begun', async () => {
  expect(await look()).toEqual([]);
});

test('a command was interrupted, and how far it was; what lies beside journals is none', async () => {
  const journal = new Journal(join(places.journals, 'gc.json'), clock);
  await journal.begin();
  await journal.reach('Collect');
  await writeFile(join(places.journals, '.gc.json.0a1b'), 'half written');
  expect(await look()).toEqual([{ command: 'gc', since, step: 'Collect', atWork: false }]);
});

test.each(['storage', 'gc'])(
  'while the lock %s is touched it is at work, afterwards it was interrupted',
  async (name) => {
    await new Journal(join(places.journals, 'gc.json'), clock).begin();
    await lock(name, since);
    await clock.sleep(10_000);
    expect((await look()).map(({ atWork }) => atWork)).toEqual([true]);
    await clock.sleep(30_000);
    expect((await look()).map(({ atWork }) => atWork)).toEqual([false]);
  },
);

test('somebody else’s lock says nothing', async () => {
  await new Journal(join(places.journals, 'upgrade.json'), clock).begin();
  await lock('certificate', since);
  expect((await look()).map(({ atWork }) => atWork)).toEqual([false]);
});
