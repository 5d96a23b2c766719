import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { WrongInput } from '../errors.ts';
import { writeAtomically } from '../system/files.ts';
import { WatchedFile } from './watched-file.ts';

let file: string;
let copy: string;
let clock: FakeClock;

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'watched-'));
  file = join(folder, 'numbers');
  copy = join(folder, 'numbers.copy');
  clock = new FakeClock('2026-01-01T00:00:00Z');
});

const open = () => new WatchedFile({ file, absent: 0, parse: number }, copy, clock);

test('no file means what its absence means', async () => {
  const watched = open();
  expect(await watched.look()).toBe(true);
  expect(watched.value).toBe(0);
});

test('a file that was replaced is read anew, once', async () => {
  await writeFile(file, '1');
  const watched = open();
  expect(await watched.look()).toBe(true);
  expect(await watched.look()).toBe(false);
  await writeAtomically(file, '2', 0o600);
  expect(await watched.look()).toBe(true);
  expect(watched.value).toBe(2);
});

test('a wrong file is told with its problems, and what it said before stays in force', async () => {
  await writeFile(file, '1');
  const watched = open();
  await watched.look();
  await writeAtomically(file, 'one', 0o600);
  expect(await watched.look()).toBe(true);
  expect(watched.reading).toEqual({
    kind: 'bad',
    problems: [{ input: `${file}:1`, message: 'is not a number' }],
    inForce: 1,
  });
  expect(watched.value).toBe(1);
});

test('what it said last is still in force for the next process', async () => {
  await writeFile(file, '1');
  await open().look();
  await writeFile(file, 'one');
  const next = open();
  await next.look();
  expect(next.value).toBe(1);
  expect(await readFile(copy, 'utf8')).toBe('1');
});

test('a file that never was right has nothing in force', async () => {
  await writeFile(file, 'one');
  const watched = open();
  await watched.look();
  expect(watched.reading).toMatchObject({ kind: 'bad', inForce: undefined });
  expect(watched.value).toBeUndefined();
});

test('it is right again as soon as it is mended', async () => {
  await writeFile(file, 'one');
  const watched = open();
  await watched.look();
  await writeAtomically(file, '3', 0o600);
  await watched.look();
  expect(watched.reading).toEqual({ kind: 'good', value: 3 });
});

test('gone for a moment, as when an editor saves, it is not gone', async () => {
  await writeFile(file, '1');
  const watched = open();
  await watched.look();
  await rename(file, `${file}~`);
  // Each wrong login is a look of its own.
  for (let look = 0; look < 10; look += 1) expect(await watched.look()).toBe(false);
  expect(watched.value).toBe(1);
  await writeFile(file, '2');
  await watched.look();
  expect(watched.value).toBe(2);
});

test('gone for good, it is gone, and so is its copy', async () => {
  await writeFile(file, '1');
  const watched = open();
  await watched.look();
  await rm(file);
  await watched.look();
  await clock.sleep(300);
  expect(await watched.look()).toBe(true);
  expect(watched.value).toBe(0);
  const next = open();
  await next.look();
  expect(next.value).toBe(0);
});

test('a good file is good also where its copy can’t be written', async () => {
  await writeFile(file, '1');
  const watched = new WatchedFile({ file, absent: 0, parse: number }, join(copy, 'nowhere'), clock);
  await watched.look();
  expect(watched.reading).toEqual({ kind: 'good', value: 1 });
});

test('a folder in its place is a problem, not the end', async () => {
  const watched = new WatchedFile({ file: tmpdir(), absent: 0, parse: number }, copy, clock);
  await watched.look();
  expect(watched.reading).toMatchObject({ kind: 'bad', problems: [{ input: tmpdir() }] });
});

function number(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new WrongInput([{ input: `${file}:1`, message: 'is not a number' }]);
}
