import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../test/support/fake-clock.ts';
import { Journal } from './journal.ts';

const since = new Date('2026-07-01T12:00:00Z');
let file: string;
let clock: FakeClock;

beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'journal-')), 'journal', 'gc.json');
  clock = new FakeClock(since.toISOString());
});

const open = () => new Journal(file, clock);

test('nothing was interrupted where nothing was begun', async () => {
  expect(await open().interrupted()).toBeUndefined();
});

test('the next process finds how far the last one came, and what it was about', async () => {
  const journal = open();
  await journal.begin({ cut: '3 tags' });
  expect(await open().interrupted()).toEqual({ since, step: '', facts: { cut: '3 tags' } });
  await clock.sleep(60_000);
  await journal.reach('collect');
  expect(await open().interrupted()).toEqual({ since, step: 'collect', facts: { cut: '3 tags' } });
});

test('the next process can go on with it', async () => {
  await open().begin({ a: 'b' });
  await open().reach('verify');
  expect(await open().interrupted()).toEqual({ since, step: 'verify', facts: { a: 'b' } });
});

test('what came to its end leaves nothing', async () => {
  const journal = open();
  await journal.begin();
  await journal.reach('collect');
  await journal.end();
  expect(await open().interrupted()).toBeUndefined();
  expect(await readdir(dirname(file))).toEqual([]);
});

test('an end without a beginning is fine, once there was a journal', async () => {
  await open().begin();
  await open().end();
  await open().end();
  expect(await open().interrupted()).toBeUndefined();
});

test('a step of nothing is a defect', async () => {
  await expect(open().reach('collect')).rejects.toThrow('nothing was begun');
});

test.each(['', '{"since":', '{"since":"2026-07-01T12:00:00Z","step":7}'])(
  'a file that says %j still says that something was interrupted',
  async (text) => {
    await open().begin();
    await writeFile(file, text);
    expect(await open().interrupted()).toEqual({ since, step: '', facts: {} });
  },
);

test('each step is one whole file: nothing lies beside it', async () => {
  const journal = open();
  await journal.begin();
  await journal.reach('collect');
  expect(await readdir(dirname(file))).toEqual(['gc.json']);
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ step: 'collect' });
});
