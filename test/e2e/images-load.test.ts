import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureBuilt } from '../support/built-images.ts';
import { Checkout } from '../support/checkout.ts';
import { RemoteMachine } from '../support/remote-machine.ts';

const PROJECT = '/srv/my registry';
const ARCHIVE = `${PROJECT}/var/images.tar`;
const NETWORK = `moorage-test-closed-${randomBytes(4).toString('hex')}`;

let checkout: Checkout;
let machine: RemoteMachine;
let folder: string;
let saved: {
  sha256: string;
  architecture: string;
  images: { role: string; reference: string; id: string }[];
};

beforeAll(async () => {
  for (const role of ['registry', 'nginx', 'node'] as const) await ensureBuilt(role);
  folder = await mkdtemp(join(tmpdir(), 'moorage-images-'));
  checkout = await Checkout.make();
  const file = join(folder, 'images.tar');
  const { stdout } = await execa('npm', ['run', '--silent', 'images', '--', 'save', '--json', file], {
    cwd: checkout.root,
    env: checkout.env,
    stderr: 'ignore',
  });
  saved = JSON.parse(stdout);
  // Nothing leads out of it.
  await execa('docker', ['network', 'create', '--internal', NETWORK]);
  machine = await RemoteMachine.boot('ready', { network: NETWORK });
  await machine.machine.clone(checkout.root, PROJECT);
  await machine.machine.succeed(['mkdir', '-p', `${PROJECT}/var`]);
  await machine.copyIn(file, `${PROJECT}/var`);
  await machine.copyPackages(join(checkout.root, 'node_modules'), PROJECT);
});

afterAll(async () => {
  await machine?.dispose();
  await checkout?.dispose();
  await execa('docker', ['network', 'rm', NETWORK], { reject: false });
  await rm(folder, { recursive: true, force: true });
});

const npm = (name: string, ...args: string[]) =>
  machine.run(['env', 'IMAGES=load', 'npm', 'run', '--silent', name, '--', ...args], PROJECT);
const imagesThere = async () => (await machine.run(['docker', 'images', '-q'])).stdout;

/** Turns one bit of the archive over; done twice it is as it was. */
async function flip(offset: number): Promise<void> {
  const script = `const { openSync, readSync, writeSync } = require('fs');
    const file = openSync(process.argv[1], 'r+'), byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, ${offset}); byte[0] ^= 1; writeSync(file, byte, 0, 1, ${offset});`;
  await machine.machine.succeed(['node', '-e', script, ARCHIVE]);
}

test('what is saved has the digest that is printed, and one of each image that the settings want', async () => {
  const { stdout } = await machine.run(['sha256sum', ARCHIVE]);
  expect(stdout.split(' ')[0]).toBe(saved.sha256);
  expect(saved.images.map(({ role }) => role)).toEqual(['registry', 'nginx', 'node', 'renewer', 'gate']);
});

test('a damaged archive is refused, and nothing of it is loaded', async () => {
  await flip(300_000_000);
  const { exitCode, stderr } = await npm('init-tls', '--yes');
  await flip(300_000_000);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/is damaged/) });
  expect(await imagesThere()).toBe('');
});

test('without any network, one command ends with a proved registry on just the images that were saved', async () => {
  const { exitCode, stdout, stderr } = await npm('init-tls', '--yes');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toMatch(/✓ Images +5 loaded/);
  expect(stdout).toMatch(/✓ Proof +pushed and pulled sha256:\w+ by docker/);
  const { stdout: running } = await machine.sh("docker inspect -f '{{.Image}}' $(docker ps -q) | sort");
  const expected = saved.images.filter(({ role }) => role !== 'node').map(({ id }) => id);
  expect(running.split('\n')).toEqual(expected.sort());
});

test('a second run changes nothing, with the archive and without it', async () => {
  const nothing = expect.stringContaining('(nothing changed)');
  expect(await npm('init-tls')).toMatchObject({ exitCode: 0, stdout: nothing });
  expect(await npm('upgrade', '--check')).toMatchObject({ exitCode: 0 });
  await machine.machine.succeed(['mv', ARCHIVE, '/srv/elsewhere.tar']);
  expect(await npm('init-tls')).toMatchObject({ exitCode: 0, stdout: nothing });
  await machine.machine.succeed(['mv', '/srv/elsewhere.tar', ARCHIVE]);
});

test('a program that the archive has not for this checkout is made without a network', async () => {
  await machine.sh('echo >> images/program/Dockerfile', PROJECT);
  expect(await npm('init-tls')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/✓ Images +2 built, 3 present/),
  });
});

test('an image of another kind that has taken a name is put right by the archive, by upgrade', async () => {
  await machine.sh('docker tag moorage/nginx:1.26 moorage/registry:2.8');
  const { stdout } = await npm('upgrade', '--check');
  expect(stdout).toContain('the archive has another one under this name');
});
