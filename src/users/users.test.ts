import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { buildSync } from 'esbuild';
import { execa } from 'execa';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addUser, expectNotLast, listUsers, removeUser, setPassword, userNameProblem } from './users.ts';

const HASH = `$2y$12$${'a'.repeat(53)}`;
const OTHER = `$2y$12$${'b'.repeat(53)}`;

let file: string;

beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'moorage-users-')), 'registry.password');
});

afterEach(async () => {
  await rm(dirname(file), { recursive: true });
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
  await removeUser(file, 'ada', { last: true });
  expect(await listUsers(file)).toEqual([{ name: 'bob', cost: 12 }]);
});

test('the last is told as such; the user of a proof is nobody’s login', async () => {
  await addUser(file, 'ada', HASH);
  await addUser(file, 'moorage-proof', HASH);
  await expect(expectNotLast(file, 'ada')).rejects.toThrow('is the last user');
  await addUser(file, 'bob', HASH);
  await expectNotLast(file, 'ada');
});

test('of two that are removed at once the last stays', async () => {
  await addUser(file, 'ada', HASH);
  await addUser(file, 'bob', HASH);
  const removed = await Promise.allSettled(
    ['ada', 'bob'].map((name) => removeUser(file, name, { last: false })),
  );
  expect(removed.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(await listUsers(file)).toHaveLength(1);
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
  await expect(setPassword(file, 'bob', OTHER)).rejects.toThrow(/bob: is no user; there is ada/);
  await expect(removeUser(file, 'bob', { last: true })).rejects.toThrow(/bob: is no user/);
  expect((await stat(file)).ino).toBe(before.ino);
});

test('of many changes at once none is lost', async () => {
  const names = Array.from({ length: 20 }, (_, number) => `user${number}`);
  await Promise.all(names.map((name) => addUser(file, name, HASH)));
  expect((await listUsers(file)).map(({ name }) => name).sort()).toEqual(names.sort());
});

/** A process of its own that says when it is ready, and once its input ends adds NAME0, NAME1 and so on, a line for each. */
function adding(name: string, count: number) {
  const contents = `
    import { addUser } from './users.ts';
    console.log('ready');
    for await (const _ of process.stdin);
    for (let number = 0; number < ${count}; number += 1) {
      await addUser(${JSON.stringify(file)}, ${JSON.stringify(name)} + number, ${JSON.stringify(HASH)});
      console.log(number);
    }`;
  const program = join(dirname(file), `${name}.mjs`);
  buildSync({
    stdin: { contents, resolveDir: import.meta.dirname },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: program,
  });
  return execa(process.execPath, [program], { reject: false });
}

test('of two processes that change it at once neither loses a user', async () => {
  const both = [adding('a', 40), adding('b', 40)];
  await Promise.all(both.map(({ stdout }) => once(stdout, 'data')));
  for (const { stdin } of both) stdin.end();
  const ended = await Promise.all(both);
  expect(ended.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual([
    { exitCode: 0, stderr: '' },
    { exitCode: 0, stderr: '' },
  ]);
  expect(await listUsers(file)).toHaveLength(80);
});

test('killed amid its changes, a process leaves a whole file and holds up nobody', async () => {
  const child = adding('a', 10_000);
  await once(child.stdout, 'data');
  child.stdin.end();
  await once(child.stdout, 'data');
  while (!existsSync(join(dirname(file), '.lock'))) await setImmediate();
  child.kill('SIGKILL');
  expect((await child).signal).toBe('SIGKILL');
  const left = (await listUsers(file)).map(({ name }) => name);
  expect(left).toEqual(left.map((_, number) => `a${number}`));
  expect(left.length).toBeGreaterThan(0);
  await addUser(file, 'bob', HASH);
  expect((await listUsers(file)).map(({ name }) => name)).toEqual([...left, 'bob']);
});

test('who reads it during a change sees the old file whole: it is replaced, not overwritten', async () => {
  await addUser(file, 'ada', HASH);
  const reader = await open(file);
  await addUser(file, 'bob', HASH);
  await removeUser(file, 'ada', { last: true });
  expect(await reader.readFile('utf8')).toBe(`ada:${HASH}\n`);
  await reader.close();
});

test('a write that fails leaves the old file and nothing beside it', async () => {
  // A name that is just allowed, while that of a temporary file beside it is not, for root neither.
  const long = join(dirname(file), 'p'.repeat(250));
  await writeFile(long, `ada:${HASH}\n`);
  await expect(addUser(long, 'bob', HASH)).rejects.toMatchObject({ code: 'ENAMETOOLONG' });
  expect(await readFile(long, 'utf8')).toBe(`ada:${HASH}\n`);
  expect(await readdir(dirname(long))).toEqual(['p'.repeat(250)]);
});

test('a folder in place of the file is told as such, and stays', async () => {
  await mkdir(file);
  await expect(listUsers(file)).rejects.toMatchObject({ code: 'users-file-is-folder' });
  await expect(addUser(file, 'ada', HASH)).rejects.toMatchObject({ code: 'users-file-is-folder' });
  expect(await readdir(dirname(file))).toEqual(['registry.password']);
});

test('a change touches no other line: not its blanks, not its line break, not its place', async () => {
  const other = fc.constantFrom(`bob:${HASH}\r`, `eve:${OTHER} `, '', '\t# note: old\r', ' # a:b');
  await fc.assert(
    fc.asyncProperty(fc.array(other), fc.array(other), async (before, after) => {
      const text = (...middle: string[]) =>
        [...before, ...middle, ...after].map((line) => `${line}\n`).join('');
      await writeFile(file, text(`ada:${HASH}`));
      await setPassword(file, 'ada', OTHER);
      expect(await readFile(file, 'utf8')).toBe(text(`ada:${OTHER}`));
      await removeUser(file, 'ada', { last: true });
      expect(await readFile(file, 'utf8')).toBe(text());
      await addUser(file, 'ada', HASH);
      expect(await readFile(file, 'utf8')).toBe(`${text()}ada:${HASH}\n`);
    }),
    { numRuns: 25 },
  );
});

test('a file that is not UTF-8 is refused by its line: it could not be written back', async () => {
  const latin1 = Buffer.from(`# fine\néva:${HASH}\n`, 'latin1');
  await writeFile(file, latin1);
  await expect(addUser(file, 'ada', HASH)).rejects.toThrow(`${file}:2: is not UTF-8`);
  expect((await readFile(file)).equals(latin1)).toBe(true);
});

test('a name that can’t be one never gets into the file', async () => {
  await expect(addUser(file, 'ada\nroot', HASH)).rejects.toThrow('control character');
  await expect(addUser(file, 'a:b', HASH)).rejects.toThrow('colon');
  expect(await readdir(dirname(file))).toEqual([]);
});

test('of many users an error gives the number, not the names', async () => {
  const names = Array.from({ length: 11 }, (_, number) => `user${number}`);
  await writeFile(file, names.map((name) => `${name}:${HASH}\n`).join(''));
  await expect(removeUser(file, 'ada', { last: true })).rejects.toThrow(
    /is no user; there are 11, see .*list/,
  );
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
  ['\u0085', 'control'],
  ['\uFEFFada', 'blank'],
  ['a\uFFFD', 'not UTF-8'],
])('the name %j is refused: %s', (name, reason) => {
  expect(userNameProblem(name)).toContain(reason);
});

test.each(['ada', 'ada.lovelace@example.com', 'ci-bot', 'Ada Lovelace', 'аня', '🐳'])(
  'the name %j is fine',
  (name) => {
    expect(userNameProblem(name)).toBeUndefined();
  },
);
