import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Made, type Thing } from './made.ts';

let folder: string;
let made: Made;
const at = (name: string) => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moorage-made-'));
  made = new Made(at('var/made.json'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test('what it wrote it takes away again, and nothing is left on its list', async () => {
  expect(await made.ensure(at('a/ca.crt'), 'trust', 'CA')).toBe(true);
  expect(await made.ensure(at('a/ca.crt'), 'trust', 'CA')).toBe(false);
  expect(await made.remove('trust')).toEqual({ gone: [at('a/ca.crt')], changed: [] });
  await expect(readFile(at('a/ca.crt'))).rejects.toThrow('ENOENT');
  expect(await made.all()).toEqual([]);
  expect(await made.remove('trust')).toEqual({ gone: [], changed: [] });
});

test('the same content by somebody else stays theirs', async () => {
  await writeFile(at('ca.crt'), 'CA');
  expect(await made.ensure(at('ca.crt'), 'trust', 'CA')).toBe(false);
  expect(await made.remove('trust')).toEqual({ gone: [], changed: [] });
  expect(await readFile(at('ca.crt'), 'utf8')).toBe('CA');
});

test('other content by somebody else is not overwritten', async () => {
  await writeFile(at('ca.crt'), 'other');
  await expect(made.ensure(at('ca.crt'), 'trust', 'CA')).rejects.toMatchObject({ code: 'foreign-file' });
  expect(await readFile(at('ca.crt'), 'utf8')).toBe('other');
});

test('what it wrote earlier it replaces', async () => {
  await made.ensure(at('ca.crt'), 'trust', 'old');
  expect(await made.ensure(at('ca.crt'), 'trust', 'new')).toBe(true);
  expect(await made.remove('trust')).toEqual({ gone: [at('ca.crt')], changed: [] });
});

test('what somebody has changed since stays, and is told', async () => {
  await made.ensure(at('ca.crt'), 'trust', 'CA');
  await writeFile(at('ca.crt'), 'CA and more');
  expect(await made.remove('trust')).toEqual({ gone: [], changed: [at('ca.crt')] });
  expect(await readFile(at('ca.crt'), 'utf8')).toBe('CA and more');
});

test('it takes away only what was made for that purpose', async () => {
  await made.ensure(at('ca.crt'), 'trust', 'CA');
  await made.ensure(at('proxy.conf'), 'proxy', 'P');
  await made.remove('proxy');
  expect(await readFile(at('ca.crt'), 'utf8')).toBe('CA');
});

test('a list that can’t be read is no empty list', async () => {
  await mkdir(at('var'));
  await writeFile(at('var/made.json'), '{');
  await expect(made.remove('trust')).rejects.toMatchObject({ code: 'made-unreadable' });
});

test('folders that were made for a file go with it, unless there is something else in them', async () => {
  await made.ensure(at('a/b/ca.crt'), 'trust', 'CA');
  await made.remove('trust');
  await expect(readFile(at('a'))).rejects.toThrow('ENOENT');
  await made.ensure(at('a/b/ca.crt'), 'trust', 'CA');
  await writeFile(at('a/other'), 'theirs');
  await made.remove('trust');
  expect(await readdir(at('a'))).toEqual(['other']);
});

test('a part of a purpose goes alone, and with the whole', async () => {
  await made.ensure(at('one'), 'trust/r.lan', 'CA');
  await made.ensure(at('two'), 'trust/r.lan.example', 'CA');
  expect(await made.remove('trust/r.lan')).toEqual({ gone: [at('one')], changed: [] });
  expect(await made.remove('trust')).toEqual({ gone: [at('two')], changed: [] });
});

test('killed between its note and the file, the next run writes it, and a removal leaves nothing', async () => {
  await made.ensure(at('a/ca.crt'), 'trust', 'CA');
  await rm(at('a'), { recursive: true });
  expect(await made.ensure(at('a/ca.crt'), 'trust', 'CA')).toBe(true);
  await rm(at('a/ca.crt'));
  await writeFile(at('a/.ca.crt.0123456789ab'), 'half of'); // the temporary file of a writing that was killed
  expect(await made.remove('trust')).toEqual({ gone: [], changed: [] });
  expect(await made.all()).toEqual([]);
  await expect(readFile(at('a'))).rejects.toThrow('ENOENT');
});

test('what has to follow a removal is done again after a kill', async () => {
  await made.ensure(at('ca.crt'), 'trust', 'CA');
  const killed = { settle: () => Promise.reject(new Error('killed')) };
  await expect(made.remove('trust', killed)).rejects.toThrow('killed');
  const told: string[] = [];
  const settle = async (things: readonly Thing[]) => void told.push(...things.map(({ path }) => path));
  expect(await made.remove('trust', { settle })).toEqual({ gone: [], changed: [] });
  expect(told).toEqual([at('ca.crt')]);
  await made.remove('trust', { settle });
  expect(told).toHaveLength(1);
});

test('a line is put at the end of somebody’s file, replaced where it stands, and taken out', async () => {
  const theirs = '127.0.0.1\tlocalhost\n# mine\n::1 localhost';
  await writeFile(at('hosts'), theirs, { mode: 0o640 });
  expect(await made.ensureLine(at('hosts'), 'trust/r', '10.0.0.1 r')).toBe(true);
  expect(await made.ensureLine(at('hosts'), 'trust/r', '10.0.0.1 r')).toBe(false);
  await writeFile(at('hosts'), `${await readFile(at('hosts'), 'utf8')}10.9.9.9 later\n`);
  expect(await made.ensureLine(at('hosts'), 'trust/r', '10.0.0.2 r')).toBe(true);
  expect(await readFile(at('hosts'), 'utf8')).toBe(`${theirs}\n10.0.0.2 r\n10.9.9.9 later\n`);
  expect((await stat(at('hosts'))).mode & 0o777).toBe(0o640);
  expect(await made.remove('trust')).toEqual({ gone: [at('hosts')], changed: [] });
  expect(await readFile(at('hosts'), 'utf8')).toBe(`${theirs}\n10.9.9.9 later\n`);
  expect(await made.remove('trust')).toEqual({ gone: [], changed: [] });
});

test('a line that was there before stays', async () => {
  await writeFile(at('hosts'), '10.0.0.1 r\n');
  expect(await made.ensureLine(at('hosts'), 'trust', '10.0.0.1 r')).toBe(false);
  await made.remove('trust');
  expect(await readFile(at('hosts'), 'utf8')).toBe('10.0.0.1 r\n');
});

test('a folder, or a link that leads nowhere, is somebody else’s too: neither replaced nor taken away', async () => {
  await mkdir(at('folder'));
  await symlink(at('nowhere'), at('link'));
  for (const name of ['folder', 'link'])
    await expect(made.ensure(at(name), 'trust', 'CA')).rejects.toMatchObject({ code: 'foreign-file' });
  expect((await lstat(at('link'))).isSymbolicLink()).toBe(true);
  await made.ensure(at('later'), 'trust', 'CA');
  await rm(at('later'));
  await mkdir(at('later'));
  expect(await made.remove('trust')).toEqual({ gone: [], changed: [at('later')] });
});

test('a way there that is no folder is told, and is no reason to stumble when all is taken away', async () => {
  await symlink(at('nowhere'), at('certs.d'));
  const path = at('certs.d/r.example/ca.crt');
  await expect(made.ensure(path, 'trust', 'CA')).rejects.toMatchObject({
    code: 'foreign-file',
    message: expect.stringContaining(at('certs.d')),
  });
  await writeFile(at('file'), '');
  await expect(made.ensure(at('file/ca.crt'), 'trust', 'CA')).rejects.toMatchObject({ code: 'foreign-file' });
  expect(await made.remove('trust')).toEqual({ gone: [], changed: [] });
  expect((await lstat(at('certs.d'))).isSymbolicLink()).toBe(true);
});

test('somebody’s file that is a link stays one', async () => {
  await mkdir(at('real'));
  await writeFile(at('real/hosts'), '127.0.0.1 localhost');
  await symlink('real/hosts', at('hosts'));
  await made.ensureLine(at('hosts'), 'trust', '10.0.0.1 r');
  expect(await readFile(at('real/hosts'), 'utf8')).toBe('127.0.0.1 localhost\n10.0.0.1 r\n');
  await made.remove('trust');
  expect((await lstat(at('hosts'))).isSymbolicLink()).toBe(true);
  expect(await readdir(at('real'))).toEqual(['hosts']);
});
