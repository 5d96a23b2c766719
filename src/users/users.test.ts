import { mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { addUser, listUsers, removeUser, setPassword, userNameProblem } from './users.ts';

const HASH = `$2y$12$${'a'.repeat(53)}`;
const OTHER = `$2y$12$${'b'.repeat(53)}`;

let file: string;

beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'moorage-users-')), 'registry.password');
});

test('no file is no users', async () => {
  expect(await listUsers(file)).toEqual([]);
});

test('add, a new password, remove; the file is its owner’s alone', async () => {
  await addUser(file, 'ada', HASH);
  await addUser(file, 'bob', HASH);
  await setPassword(file, 'ada', OTHER);
  expect(await readFile(file, 'utf8')).toBe(`ada:${OTHER}\nbob:${HASH}\n`);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await removeUser(file, 'ada');
  expect(await listUsers(file)).toEqual([{ name: 'bob', cost: 12 }]);
});

test('comments and empty lines of somebody else stay where they are', async () => {
  await writeFile(file, `# the team\n\nada:${HASH}\n`);
  await addUser(file, 'bob', HASH);
  expect(await readFile(file, 'utf8')).toBe(`# the team\n\nada:${HASH}\nbob:${HASH}\n`);
});

test('a user that is there can’t be added, one that is not can’t be changed, and the file stays', async () => {
  await addUser(file, 'ada', HASH);
  const before = await stat(file);
  await expect(addUser(file, 'ada', OTHER)).rejects.toThrow(/ada: is a user already; .*passwd/);
  await expect(setPassword(file, 'bob', OTHER)).rejects.toThrow(/bob: is no user; there are ada/);
  await expect(removeUser(file, 'bob')).rejects.toThrow(/bob: is no user/);
  expect((await stat(file)).ino).toBe(before.ino);
});

test('of many changes at once none is lost', async () => {
  const names = Array.from({ length: 20 }, (_, number) => `user${number}`);
  await Promise.all(names.map((name) => addUser(file, name, HASH)));
  expect((await listUsers(file)).map(({ name }) => name).sort()).toEqual(names.sort());
});

test('a change that fails leaves the old file and nothing beside it', async () => {
  await mkdir(file);
  await expect(addUser(file, 'ada', HASH)).rejects.toThrow();
  expect(await readdir(join(file, '..'))).toEqual(['registry.password']);
});

test.each([
  ['', 'empty'],
  ['a:b', 'colon'],
  ['a\nb', 'control'],
  ['a\tb', 'control'],
  ['\u007f', 'control'],
  [' ada', 'blank'],
  ['ada ', 'blank'],
  ['#ada', 'comment'],
  ['é'.repeat(128), 'longer'],
])('the name %j is refused: %s', (name, reason) => {
  expect(userNameProblem(name)).toContain(reason);
});

test.each(['ada', 'ada.lovelace@example.com', 'ci-bot', 'Ada Lovelace', 'аня', '🐳'])(
  'the name %j is fine',
  (name) => {
    expect(userNameProblem(name)).toBeUndefined();
  },
);
