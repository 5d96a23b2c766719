import { chmod, chown, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MANIFEST_TYPE } from '../../src/registry/image.ts';
import { Checkout, loginOf } from '../support/checkout.ts';
import { mountReadOnly } from '../support/mounts.ts';
import { RegistryCalls } from '../support/registry-calls.ts';

const SOMEBODY = 12_345;

let checkout: Checkout;
let calls: RegistryCalls;
let login: string;
let disks: string;
let folder: string;

beforeAll(async () => {
  disks = await mkdtemp(join(tmpdir(), 'moorage-disks-'));
  folder = join(disks, 'my images');
  await mkdir(folder);
  await chown(folder, SOMEBODY, SOMEBODY);
  await chmod(folder, 0o700);
  checkout = await Checkout.make({ REGISTRY_DATA_DIR: folder });
  calls = new RegistryCalls(checkout);
  login = loginOf(await checkout.init());
});

afterAll(async () => {
  await checkout?.dispose();
  await rm(disks, { recursive: true, force: true });
});

const refused = async (reason: RegExp) => {
  const { exitCode, stderr } = await checkout.command('init-tls', ['--yes']);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(reason) });
};

test('a folder that is open to an ordinary user alone takes images and gives them back', async () => {
  await calls.pushImage('team/app', 'one', login);
  const answer = await calls.ask('GET', '/v2/team/app/manifests/one', {
    as: login,
    headers: { accept: MANIFEST_TYPE },
  });
  expect(answer.status).toBe(200);
  expect(await checkout.init()).toMatchObject({ changed: false });
});

test('the registry has one capability and writes nowhere else', async () => {
  const inside = (...command: string[]) => checkout.compose('exec', '-T', 'registry', ...command);
  expect((await inside('grep', 'CapEff', '/proc/1/status')).stdout).toMatch(/0000000000000002$/); // DAC_OVERRIDE
  expect((await inside('touch', '/etc/file')).stderr).toContain('Read-only file system');
});

test('a disk that is mounted read-only: exit 1', async () => {
  const mounted = await mountReadOnly(folder);
  await refused(/is on a file system that is mounted read-only/).finally(mounted.unmount);
});

test('a folder that held images and is empty now: exit 1, and nothing is pushed to the disk below', async () => {
  await rename(folder, `${folder} elsewhere`);
  await mkdir(folder);
  await refused(/There were images in .*my images when this last ran[\s\S]*Mount its disk/);
  await rm(folder, { recursive: true });
  await rename(`${folder} elsewhere`, folder);
  await checkout.init();
});
