import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Checkout } from '../support/checkout.ts';

let checkout: Checkout;

beforeAll(async () => {
  checkout = await Checkout.make();
});

afterAll(() => checkout.dispose());

const user = (args: readonly string[], input?: string) =>
  checkout.command('user', args, input === undefined ? {} : { input });

test('add, list, passwd, remove', async () => {
  expect(await user(['add', 'ada', '--password-stdin'], 'correct horse\n')).toMatchObject({
    exitCode: 0,
    stdout: 'ada added',
  });
  const generated = await user(['add', 'ci', '--generate']);
  expect(generated.stdout).toMatch(/^ci added, password \w{24} {2}\(shown only now\)$/);
  expect((await user(['list'])).stdout).toMatch(/^ +ada +admin \(password: bcrypt, cost 12\)\n +ci +admin /);
  expect((await user(['passwd', 'ada', '--password-stdin'], 'new one')).stdout).toBe(
    'ada has a new password',
  );
  expect((await user(['remove', 'ci'])).stdout).toBe('ci removed');
  expect(JSON.parse((await user(['list', '--json'])).stdout)).toEqual([
    { name: 'ada', cost: 12, allow: ['admin'], tokens: [] },
  ]);
});

test('a token is made, listed with its use and its end, and removed', async () => {
  const made = await user(['token', 'ada', '--allow', 'push:team/app', 'pull', '--expires', '2w']);
  const [, id = '', password = ''] =
    /^ada:(\w{8}) made, password (mrg_\S+) {2}\(shown only now\)$/m.exec(made.stdout) ?? [];
  expect(made.stdout).toContain('docker login -u ada ');
  expect(password).toMatch(new RegExp(`^mrg_${id}_[\\w-]{43}$`));
  const all = await user(['token', 'ada', '--expires', 'never']);
  expect(all.stdout).toContain('It may all that ada may. It never expires.');

  await mkdir(join(checkout.root, 'var/gate'), { recursive: true });
  const used = { [id]: '2026-07-01T12:34:56.000Z' };
  await writeFile(join(checkout.root, 'var/gate/last-used.json'), JSON.stringify(used));
  const [ada] = JSON.parse((await user(['list', '--json'])).stdout);
  expect(ada.tokens).toMatchObject([{ id, allow: ['push:team/app', 'pull'], lastUsed: used[id] }, {}]);
  expect(Date.parse(ada.tokens[0].expires) - Date.parse(ada.tokens[0].created)).toBe(14 * 86_400_000);
  expect(ada.tokens[1]).not.toHaveProperty('expires');
  const { stdout } = await user(['list']);
  expect(stdout).toContain(`token ${id}: push:team/app, pull; last used 2026-07-01 12:34Z; expires `);
  expect(stdout).toContain('all of these; never used; never expires');
  expect(`${stdout}${await authFile('tokens.json')}`).not.toContain(password.slice(13));

  expect((await user(['remove', `ada:${id}`])).stdout).toBe(`ada:${id} removed`);
  expect((await user(['remove', `ada:${id}`])).exitCode).toBe(2);
});

test('a role is given and taken; the others lose nothing when access.yaml is made', async () => {
  await user(['add', 'bob', '--generate']);
  expect((await user(['allow', 'bob', 'push:team/**', 'pull'])).stdout).toMatch(
    /^bob may push:team\/\*\*, pull\nregistry\/auth\/access.yaml made: .*\nAs before everything: ada\.$/,
  );
  expect(await authFile('access.yaml')).toContain('users:\n  ada: [admin]\n  bob: [push:team/**, pull]\n');
  expect((await user(['disallow', 'bob', 'pull'])).stdout).toContain('Still: push:team/**.');
  expect((await user(['list'])).stdout).toMatch(/^ +bob +push:team\/\*\* \(/m);
  expect((await user(['add', 'eve', '--generate'])).stdout).toContain('access.yaml gives eve nothing yet');
});

test('a user goes with all tokens, and it is told that access.yaml still names them', async () => {
  await user(['token', 'bob']);
  const { stdout } = await user(['remove', 'bob']);
  expect(stdout).toMatch(/^bob removed, and 1 token\naccess.yaml still names bob: /);
  expect((await user(['list'])).stdout).toContain('access.yaml also names bob: no such user.');
  expect((await user(['disallow', 'bob', 'push:team/**'])).exitCode).toBe(0);
  await user(['remove', 'eve']);
});

test.each([
  [['add'], 'missing required argument'],
  [['add', 'a:b', '--generate'], 'colon'],
  [['add', 'ada', '--generate'], 'is a user already'],
  [['add', 'new', '--generate', '--password-stdin'], 'cannot be used with'],
  [['add', 'new'], '--generate or --password-stdin'],
  [['passwd', 'nobody', '--generate'], 'there is ada'],
  [['remove', 'nobody'], 'is no user'],
  [['remove', 'ada'], 'is the last user'],
  [['remove', 'ada:abcd2345'], 'is no token'],
  [['token', 'nobody'], 'there is ada'],
  [['token', 'ada', '--allow', 'push:Team'], 'lower case'],
  [['token', 'ada', '--allow', 'write'], 'a role is one of'],
  [['token', 'ada', '--expires', '3m'], 'is no lifetime'],
  [['allow', 'ada'], 'missing required argument'],
  [['allow', 'nobody', 'pull'], 'there is ada'],
  [['allow', 'ada', 'pull', 'team'], 'a role is one of'],
  [['disallow', 'ada', 'pull:x'], 'does not have it by name, but admin'],
  [['frobnicate'], 'frobnicate'],
  [[], 'Usage'],
])('wrong input is refused with exit 2: user %j', async (args, reason) => {
  const before = await authFiles();
  const { exitCode, stderr } = await user(args);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(reason) });
  expect(await authFiles()).toEqual(before);
});

test.each([
  ['token', 'ada'],
  ['allow', 'ada', 'pull'],
  ['disallow', 'ada', 'admin'],
])('where distribution checks passwords by itself there are no rights to give: user %s', async (...args) => {
  const { exitCode, stderr } = await checkout.command('user', args, { env: { AUTH: 'registry' } });
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('use AUTH=gate'),
  });
});

test.each([
  ['', 'empty'],
  ['x'.repeat(73), '73 bytes'],
  ['two\nlines', 'line break'],
])('a password that can’t be one is refused with exit 2, and not repeated', async (password, reason) => {
  const { exitCode, stderr } = await user(['add', 'new', '--password-stdin'], password);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(reason) });
});

test('a flag that npm took for itself is told, with its value too: the token would have had every right', async () => {
  const before = await authFiles();
  for (const flag of [['--allow', 'pull'], ['--allow=pull']]) {
    const { exitCode, stderr } = await checkout.run('npm', [
      'run',
      '--silent',
      'user',
      'token',
      'ada',
      ...flag,
    ]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--allow') });
  }
  expect(await authFiles()).toEqual(before);
});

test('an access.yaml that is not right is told by its line and never written over', async () => {
  const file = join(checkout.root, 'registry/auth/access.yaml');
  await writeFile(file, 'users:\n  ada: admin\n');
  for (const args of [
    ['allow', 'ada', 'pull'],
    ['disallow', 'ada', 'pull'],
    ['list'],
    ['add', 'new', '--generate'],
  ]) {
    const { exitCode, stderr } = await user(args);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('access.yaml:2'),
    });
  }
  expect(await readFile(file, 'utf8')).toBe('users:\n  ada: admin\n');
});

test('the last user goes when it is meant, whatever access.yaml says', async () => {
  const { exitCode, stdout } = await user(['remove', 'ada', '--last']);
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^ada removed/) });
  expect(await authFile('registry.password')).toBe('');
});

async function authFile(name: string): Promise<string> {
  return readFile(join(checkout.root, 'registry/auth', name), 'utf8');
}

async function authFiles(): Promise<string[]> {
  return Promise.all(['registry.password', 'tokens.json', 'access.yaml'].map(authFile));
}
