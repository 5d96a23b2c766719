import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Checkout, loginOf } from '../support/checkout.ts';

let checkout: Checkout;
let login: string;

beforeAll(async () => {
  checkout = await Checkout.make({ AUTH: 'registry' });
  login = loginOf(await checkout.init());
});

afterAll(() => checkout.dispose());

const status = async (credentials: string) => {
  const url = `https://${checkout.authority}/v2/`;
  const args = ['-sk', '-o', '/dev/null', '-w', '%{http_code}', '-u', credentials, url];
  return (await checkout.run('curl', args)).stdout;
};
const parts = async () => (await checkout.compose('ps', '--all', '--services')).stdout.split('\n').sort();
const configuration = async () => (await checkout.compose('exec', '-T', 'nginx', 'nginx', '-T')).stdout;

test('AUTH=registry: nothing in between, and distribution checks passwords', async () => {
  expect(await parts()).toEqual(['nginx', 'registry', 'renewer']);
  expect(await configuration()).not.toMatch(/\/\.gate\/|@gate|http:\/\/gate/);
  expect([await status(login), await status('admin:wrong')]).toEqual(['200', '401']);
});

test.each(['access.yaml', 'tokens.json'])(
  'rules that nobody would apply are refused: registry/auth/%s',
  async (name) => {
    const file = join(checkout.root, 'registry/auth', name);
    await writeFile(file, '{}');
    const { exitCode, stderr } = await checkout.command('init-tls', ['--yes']);
    await rm(file);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(`AUTH: registry knows no roles.* registry/auth/${name} is there`),
    });
  },
);

test('run again it changes nothing', async () => {
  expect(await checkout.init()).toMatchObject({ changed: false });
  const { exitCode, stderr } = await checkout.compose('up', '-d');
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stderr).not.toMatch(/Recreate|Created|Started|Pulling/);
});

test('to the gate and back: one setting, one run, and nothing is left over', async () => {
  const { steps } = await checkout.init({ AUTH: 'gate' });
  expect(steps.find(({ title }) => title === 'Proof')).toMatchObject({ changed: true });
  expect(await parts()).toEqual(['gate', 'nginx', 'registry', 'renewer']);
  expect(await configuration()).toContain('auth_request /.gate/ask;');
  expect([await status(login), await status('admin:wrong')]).toEqual(['200', '401']);

  await checkout.init({ AUTH: 'registry' });
  expect(await parts()).toEqual(['nginx', 'registry', 'renewer']);
  expect([await status(login), await status('admin:wrong')]).toEqual(['200', '401']);
});
