import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { RotatedLog } from './rotated-log.ts';

let folder: string;
let complaints: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotated-'));
  complaints = [];
});

const open = (place = folder) =>
  new RotatedLog(place, 'log', { size: 20, keep: 2 }, (problem) => complaints.push(problem));
const content = (name: string) => readFile(join(folder, name), 'utf8');

test('a file that has reached its size is set aside before the next line', async () => {
  const log = open();
  for (const line of ['one: nine', 'two: nine', 'three']) {
    log.write(line);
    await log.flushed();
  }
  expect(await content('log')).toBe('three\n');
  expect(await content('log.1')).toBe('one: nine\ntwo: nine\n');
});

test('no more older files are kept than asked for, and the youngest is .1', async () => {
  const log = open();
  for (const letter of 'abcdef') {
    log.write(letter.repeat(30));
    await log.flushed();
  }
  expect((await readdir(folder)).sort()).toEqual(['log', 'log.1', 'log.2']);
  expect(
    [await content('log'), await content('log.1'), await content('log.2')].map((text) => text[0]),
  ).toEqual(['f', 'e', 'd']);
});

test('lines keep their order, however quickly they come', async () => {
  const log = new RotatedLog(folder, 'log', { size: 1e9, keep: 1 }, (problem) => complaints.push(problem));
  const lines = Array.from({ length: 1000 }, (_, number) => String(number));
  for (const line of lines) log.write(line);
  await log.flushed();
  expect((await content('log')).trim().split('\n')).toEqual(lines);
});

test('a disk that can’t be written to is complained about, and tried again with the next line', async () => {
  const place = join(folder, 'later');
  const log = open(place);
  log.write('lost');
  await log.flushed();
  expect(complaints).toHaveLength(1);
  await mkdir(place);
  log.write('kept');
  await log.flushed();
  expect(await content('later/log')).toBe('kept\n');
  await rm(place, { recursive: true });
});
