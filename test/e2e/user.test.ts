import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Checkout } from '../support/checkout.ts';

let checkout: Checkout;

beforeAll(async () => {
  checkout = await Checkout.make();
});

afterAll(() => checkout.dispose());

const user = (args: readonly string[], input?: string) =>
  checkout.npm('user', args, input === undefined ? {} : { input });

test('add, list, passwd, remove', async () => {
  expect(await user(['add', 'ada', '--password-stdin'], 'correct horse\n')).toMatchObject({
    exitCode: 0,
    stdout: 'ada added',
  });
  const generated = await user(['add', 'ci', '--generate']);
  expect(generated.stdout).toMatch(/^ci added, password \w{24} {2}\(shown only now\)$/);
  expect((await user(['list'])).stdout).toBe('ada  bcrypt, cost 12\nci   bcrypt, cost 12');
  expect((await user(['passwd', 'ada', '--password-stdin'], 'new one')).stdout).toBe(
    'ada has a new password',
  );
  expect((await user(['remove', 'ci'])).stdout).toBe('ci removed');
  expect(JSON.parse((await user(['list', '--json'])).stdout)).toEqual([{ name: 'ada', cost: 12 }]);
});

test.each([
  [['add'], 'missing required argument'],
  [['add', 'a:b', '--generate'], 'colon'],
  [['add', 'ada', '--generate'], 'is a user already'],
  [['add', 'new', '--generate', '--password-stdin'], 'cannot be used with'],
  [['add', 'new'], '--generate or --password-stdin'],
  [['passwd', 'nobody', '--generate'], 'there is ada'],
  [['remove', 'nobody'], 'is no user'],
  [['frobnicate'], 'frobnicate'],
  [[], 'Usage'],
])('wrong input is refused with exit 2: user %j', async (args, reason) => {
  const before = await usersFile();
  const { exitCode, stderr } = await user(args);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(reason) });
  expect(await usersFile()).toBe(before);
});

test.each([
  ['', 'empty'],
  ['x'.repeat(73), '73 bytes'],
  ['two\nlines', 'line break'],
])('a password that can’t be one is refused with exit 2, and not repeated', async (password, reason) => {
  const { exitCode, stderr } = await user(['add', 'new', '--password-stdin'], password);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(reason) });
});

async function usersFile(): Promise<string> {
  return readFile(join(checkout.root, 'registry/auth/registry.password'), 'utf8');
}
