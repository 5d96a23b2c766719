import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
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

test('at a terminal it asks twice and shows nothing of what is typed', async () => {
  const { exitCode, screen } = await atTerminal(['add', 'bob'], ['staple battery', 'staple battery']);
  expect(exitCode).toBe(0);
  expect(screen).toContain('bob added');
  expect(screen).not.toContain('staple');
});

test('two different passwords are refused', async () => {
  const { exitCode, screen } = await atTerminal(['add', 'eve'], ['one', 'two']);
  expect({ exitCode, screen }).toMatchObject({
    exitCode: 2,
    screen: expect.stringContaining('not the same'),
  });
});

test('Ctrl-C at the question ends it without a word', async () => {
  const { exitCode, screen } = await atTerminal(['add', 'eve'], ['\u0003']);
  expect(exitCode).toBe(130);
  expect(screen).not.toMatch(/Error|defect/);
});

async function usersFile(): Promise<string> {
  return readFile(join(checkout.root, 'registry/auth/registry.password'), 'utf8');
}

/** Runs the command at a pseudo-terminal made by script(1), and types an answer at each question. */
async function atTerminal(args: readonly string[], answers: readonly string[]) {
  const command = ['node --import ./scripts/setup.mjs scripts/user.ts', ...args].join(' ');
  const child = execa('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: checkout.root,
    env: checkout.env,
    reject: false,
    all: true,
  });
  let screen = '';
  child.all.on('data', (text) => {
    screen += text;
  });
  for (const [index, answer] of answers.entries()) {
    const question = index === 0 ? 'Password for' : 'Once more';
    await expect.poll(() => screen, { timeout: 20_000, interval: 20 }).toContain(question);
    child.stdin.write(answer === '\u0003' ? answer : `${answer}\r`);
  }
  const { exitCode } = await child;
  return { exitCode, screen };
}
