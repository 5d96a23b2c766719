import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import { listFor, savedImage, savedPieces, tarOf } from '../../test/support/image-archive.ts';
import { checkArchive, expectArchive, expectSame } from './read-archive.ts';
import { saveArchive } from './save-archive.ts';

const both = [
  savedImage('registry', 'registry:2.8.3', 'a layer of the registry'),
  savedImage('nginx', 'moorage/nginx:1.26', 'a layer of nginx'),
];
const silent = () => undefined;
const engine = new FakeEngine();

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'save-'));
  file = join(folder, 'images.tar');
  const tar = await tarOf(savedPieces(both));
  engine.saves = () => Readable.from([tar]);
});

afterEach(() => rm(folder, { recursive: true }));

const save = (to = file) => saveArchive(engine, listFor(both), to, silent);

test('what is saved can be loaded, is 0644, and leaves nothing beside it', async () => {
  const { bytes, sha256 } = await save();
  expect(await readdir(folder)).toEqual(['images.tar']);
  expect((await readFile(file)).length).toBe(bytes);
  expect((await lstat(file)).mode & 0o777).toBe(0o644);
  expect((await expectSame(file, sha256, silent)).summary).toBe(sha256);
  await expect(expectSame(file, '0'.repeat(64), silent)).rejects.toThrow(sha256);
  expect((await checkArchive(await expectArchive(file), silent)).images).toHaveLength(2);
});

test('an engine that saves something else than it said leaves no archive', async () => {
  const tar = await tarOf(savedPieces(both.slice(0, 1)));
  engine.saves = () => Readable.from([tar]);
  await expect(save()).rejects.toMatchObject({ code: 'archive-damaged' });
  expect(await readdir(folder)).toEqual([]);
});

test('a device or a folder is not replaced by an archive', async () => {
  await mkdir(file);
  await expect(save()).rejects.toThrow(/images\.tar.*is no file/);
  const device = join(folder, 'device');
  await symlink('/dev/null', device);
  await expect(save(device)).rejects.toThrow(/is no file/);
});

test('where a link leads is written to, and the link stays', async () => {
  await mkdir(join(folder, 'large disk'));
  await writeFile(join(folder, 'large disk/images.tar'), 'before');
  await symlink('large disk/images.tar', file);
  const { bytes } = await save();
  expect((await lstat(file)).isSymbolicLink()).toBe(true);
  expect((await readFile(join(folder, 'large disk/images.tar'))).length).toBe(bytes);
});

test('what somebody has put where it is written at first is not followed', async () => {
  await writeFile(join(folder, 'precious'), 'kept');
  await symlink('precious', join(folder, '.images.tar.part'));
  await save();
  expect(await readFile(join(folder, 'precious'), 'utf8')).toBe('kept');
  expect((await readdir(folder)).sort()).toEqual(['images.tar', 'precious']);
});

test('what a killed run left takes no room from the next one', async () => {
  await writeFile(join(folder, '.images.tar.part'), 'half');
  engine.images.history = async () => {
    expect(await readdir(folder)).toEqual([]);
    return [];
  };
  await save();
  expect(await readdir(folder)).toEqual(['images.tar']);
});

test('a disk that becomes full while it is written to is said to be, and keeps nothing of it', async () => {
  engine.saves = () => {
    throw Object.assign(new Error('write'), { code: 'ENOSPC' });
  };
  await expect(save()).rejects.toMatchObject({ code: 'disk-full', message: expect.stringContaining(folder) });
  expect(await readdir(folder)).toEqual([]);
});
