import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { Secret } from '../../src/secret.ts';
import { parseHtpasswd } from '../../src/users/htpasswd.ts';
import { hashPassword, verifyPassword } from '../../src/users/password.ts';
import { addUser, listUsers } from '../../src/users/users.ts';

async function usersFile(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), 'moorage-htpasswd-')), 'registry.password');
}

const apache = (args: readonly string[], password: string) =>
  execa('htpasswd', args, { input: password, reject: false });

test('Apache’s htpasswd verifies what is written here', async () => {
  const file = await usersFile();
  await addUser(file, 'ada', await hashPassword(new Secret('correct horse')));
  expect((await apache(['-vi', file, 'ada'], 'correct horse')).exitCode).toBe(0);
  expect((await apache(['-vi', file, 'ada'], 'wrong')).exitCode).not.toBe(0);
});

test('what Apache’s htpasswd -B writes is read here', async () => {
  const file = await usersFile();
  await apache(['-ciB', file, 'bob'], 'staple');
  expect(await listUsers(file)).toEqual([{ name: 'bob', cost: 5 }]);
  const [line] = parseHtpasswd(await readFile(file, 'utf8'), file).lines;
  expect(line?.kind === 'user' && (await verifyPassword(new Secret('staple'), line.hash))).toBe(true);
});

test('both take turns on one file', async () => {
  const file = await usersFile();
  await apache(['-ciB', file, 'bob'], 'staple');
  await addUser(file, 'ada', await hashPassword(new Secret('horse')));
  await apache(['-iB', file, 'eve'], 'battery');
  expect((await listUsers(file)).map(({ name }) => name)).toEqual(['bob', 'ada', 'eve']);
});
