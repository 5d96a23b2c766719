import { readlink, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { socketOf } from '../../src/engine/address.ts';
import { environment } from '../../src/settings/environment.ts';
import { ensureBuilt } from '../support/built-images.ts';
import { Checkout, type Ran, startOf } from '../support/checkout.ts';
import { makeNetwork, type Pebble, startPebble } from '../support/pebble.ts';

/** Somebody who may use the engine and is not root. */
const SOMEBODY = 12_345;
const NAME = 'registry.moorage.example';

let checkout: Checkout;
let pebble: Pebble;

beforeAll(async () => {
  for (const role of ['registry', 'nginx', 'node', 'certbot'] as const) await ensureBuilt(role);
  checkout = await Checkout.make({ DOMAIN: NAME, TLS_ISSUER: 'certbot' });
  const { gateway } = await makeNetwork(checkout);
  pebble = await startPebble(checkout, { name: 'pebble' });
  await pebble.setAddress(NAME, gateway);
  Object.assign(checkout.env, {
    BIND_ADDRESS: gateway,
    ACME_DIRECTORY: pebble.directory,
    ACME_CA_BUNDLE: pebble.trust,
    HOME: checkout.root,
  });
  await execa('chmod', ['755', dirname(checkout.root)]);
  await execa('chown', ['-R', `${SOMEBODY}:${SOMEBODY}`, checkout.root]);
});

afterAll(async () => {
  await pebble.dispose();
  await checkout.dispose();
});

async function asSomebody(script: string, ...args: string[]): Promise<Ran> {
  const { gid } = await stat(socketOf(environment().DOCKER_HOST) ?? '');
  const identity = [`--reuid=${SOMEBODY}`, `--regid=${SOMEBODY}`, `--groups=${gid}`];
  const command = ['node', ...startOf(script, ...args)];
  return checkout.run('setpriv', [...identity, ...command]);
}

test('who may use the engine needs no root: the whole way, with a certificate by certbot', async () => {
  const { exitCode, stdout, stderr } = await asSomebody('init-tls');
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stdout).toMatch(/✓ Proof/);
});

test('what certbot and the renewer write belongs to the same person', async () => {
  await checkout.compose('restart', 'renewer');
  const files = ['.env', 'var/tls/current/privkey.pem', 'registry/auth/registry.password'];
  const lineage = 'var/certbot/pebble-14000-dir/archive/registry/privkey1.pem';
  for (const file of [...files, lineage]) expect((await stat(join(checkout.root, file))).uid).toBe(SOMEBODY);
});

test('the renewer is that person too, and can use the engine to ask certbot', async () => {
  const { stdout: id } = await checkout.compose('ps', '-q', 'renewer');
  const { stdout } = await checkout.run('docker', ['inspect', '-f', '{{.Config.User}}', id.trim()]);
  expect(stdout).toBe(`${SOMEBODY}:${SOMEBODY}`);
  const lineage = ['archive', 'live', 'renewal'].map((folder) => `var/certbot/pebble-14000-dir/${folder}`);
  await checkout.run('rm', ['-rf', 'var/tls/current', 'var/tls/generation-1', ...lineage]);
  await checkout.compose('restart', 'renewer');
  const current = () => readlink(join(checkout.root, 'var/tls/current')).catch(() => 'none');
  await expect.poll(current, { timeout: 240_000, interval: 200 }).toMatch(/^generation-/);
});

test('users can be changed and the certificate renewed without root', async () => {
  expect(await asSomebody('user', 'add', 'ada', '--generate')).toMatchObject({ exitCode: 0 });
  expect(await asSomebody('renew')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('nothing to do'),
  });
});

test('tags can be removed without root: what the registry writes is open to its owner’s group', async () => {
  const tags = 'registry/data/docker/registry/v2/repositories/moorage/proof/_manifests';
  const identity = [`--reuid=${SOMEBODY}`, `--regid=${SOMEBODY}`, '--clear-groups'];
  const { exitCode, stderr } = await checkout.run('setpriv', [
    ...identity,
    'mv',
    `${tags}/tags`,
    `${tags}/moved`,
  ]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(await asSomebody('prune', '--keep-last', '1', '--yes')).toMatchObject({ exitCode: 0 });
});

test('unused layers are collected without root, though the registry’s files belong to root', async () => {
  const proof = join(checkout.root, 'registry/data/docker/registry/v2/repositories/moorage');
  expect((await stat(proof)).uid).toBe(0);
  const { exitCode, stderr } = await asSomebody('gc');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  await expect(stat(proof)).rejects.toThrow('ENOENT');
});
