import { appendFile, mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../test/support/fake-clock.ts';
import { Events } from './events.ts';

let file: string;
let clock: FakeClock;
let events: Events;

beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'events-')), 'var', 'events.jsonl');
  clock = new FakeClock('2026-07-01T12:00:00Z');
  events = new Events(file, clock);
});

const texts = async (many = 10) => (await events.last(many)).map(({ text }) => text);

test('nothing happened yet', async () => {
  expect(await events.last(5)).toEqual([]);
});

test('the last ones are told, the newest first', async () => {
  for (const text of ['one', 'two', 'three']) await events.record('gc', 'done', text);
  expect(await texts(2)).toEqual(['three', 'two']);
  expect(await events.last(1)).toEqual([{ at: clock.now(), by: 'gc', kind: 'done', text: 'three' }]);
});

test('nobody else may read them', async () => {
  await events.record('gc', 'done', 'one');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('a torn line costs itself alone', async () => {
  await events.record('gc', 'done', 'one');
  await appendFile(file, '{"at":"2026-07-01T12:0');
  await events.record('gc', 'done', 'two');
  await events.record('gc', 'done', 'three');
  expect(await texts()).toEqual(['three', 'two', 'one']);
});

test('what is not an event is left out', async () => {
  await events.record('gc', 'done', 'one');
  await appendFile(file, '{"at":"soon","by":"gc","kind":"done","text":"two"}\n7\n\n');
  expect(await texts()).toEqual(['one']);
  expect(await texts(1)).toEqual(['one']);
});

test('the file does not grow for ever: the newest stay', async () => {
  await events.record('gc', 'done', 'first');
  const line = (text: string) => JSON.stringify({ at: clock.now(), by: 'gc', kind: 'done', text });
  const many = Array.from({ length: 2_000 }, (_, index) => line(`${index} ${'x'.repeat(60)}`));
  await writeFile(file, `${many.join('\n')}\n`);
  await events.record('gc', 'done', 'last');
  const kept = await events.last(5_000);
  expect(kept).toHaveLength(501);
  expect(kept[0]?.text).toBe('last');
  expect(kept[1]?.text).toMatch(/^1999 /);
  expect((await readFile(file)).length).toBeLessThan(100_000);
});

test('two at once both arrive', async () => {
  await events.record('gc', 'done', 'first');
  await Promise.all(['a', 'b', 'c', 'd'].map((text) => new Events(file, clock).record('user', 'done', text)));
  expect((await texts()).sort()).toEqual(['a', 'b', 'c', 'd', 'first']);
});

test('where nothing can be written nothing fails', async () => {
  await events.record('gc', 'done', 'one');
  await expect(new Events(join(file, 'below'), clock).record('gc', 'done', 'x')).resolves.toBeUndefined();
  expect(await texts()).toEqual(['one']);
});
