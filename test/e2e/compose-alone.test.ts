import { existsSync } from 'node:fs';
import { chown, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUILT } from '../../src/images/catalog.ts';
import { Checkout } from '../support/checkout.ts';

let checkout: Checkout;

beforeAll(async () => {
  // The images are there already, as they are on the machine of somebody who has another stack.
  const other = await Checkout.make();
  await other.init();
  const { RENEWER_IMAGE = '', GATE_IMAGE = '' } = parse(await readFile(join(other.root, '.env'), 'utf8'));
  await other.dispose();
  const programs = { RENEWER_IMAGE, GATE_IMAGE };
  checkout = await Checkout.make({ REGISTRY_IMAGE: BUILT.registry, NGINX_IMAGE: BUILT.nginx, ...programs });
});

afterAll(() => checkout.dispose());

const curl = (...args: string[]) => checkout.run('curl', ['-sS', '--cacert', 'var/ca/ca.crt', ...args]);

test('`docker compose up -d` on a clone without .env starts the local default', async () => {
  expect(existsSync(join(checkout.root, '.env'))).toBe(false);
  expect(await checkout.compose('up', '-d', '--pull', 'never', '--no-build')).toMatchObject({ exitCode: 0 });
  const page = async () => (await curl(`https://${checkout.authority}/`)).stdout;
  await expect.poll(page, { timeout: 60_000, interval: 200 }).toContain('A private container registry');
});

test('nobody can log in before there is a user; nobody is made up', async () => {
  const url = `https://${checkout.authority}/v2/`;
  const status = async () =>
    (await curl('-o', '/dev/null', '-w', '%{http_code}', '-u', 'docker:docker', url)).stdout;
  await expect.poll(status, { timeout: 60_000, interval: 200 }).toBe('401');
  expect((await checkout.compose('logs', 'registry')).stdout).not.toMatch(/password/i);
});

test('a user that is added can log in at once', async () => {
  expect(
    await checkout.command('user', ['add', 'ada', '--password-stdin'], { input: 'correct horse\n' }),
  ).toMatchObject({ exitCode: 0 });
  const { stdout } = await curl('-u', 'ada:correct horse', `https://${checkout.authority}/v2/`);
  expect(stdout).toBe('{}');
});

test('users that belong to whoever cloned the project are read all the same', async () => {
  await chown(join(checkout.root, 'registry/auth/registry.password'), 12_345, 12_345);
  await checkout.compose('restart', 'gate');
  const answer = () => curl('-u', 'ada:correct horse', `https://${checkout.authority}/v2/`);
  await expect.poll(async () => (await answer()).stdout, { timeout: 60_000, interval: 200 }).toBe('{}');
});

test('init-tls takes the stack over as it is', async () => {
  const result = await checkout.init();
  expect(result.firstUser).toBeUndefined();
  expect(result.certificate.issuer).toBe('local');
});
