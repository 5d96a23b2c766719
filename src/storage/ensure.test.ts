import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { paths } from '../paths.ts';
import { systemClock } from '../system/clock.ts';
import { expectDataDirectory } from './data-directory.ts';
import { expectReachableEndpoint } from './endpoint-place.ts';
import { ensureStorage, noteImages } from './ensure.ts';
import { OLD_MARK } from './old-places.ts';
import { labelCommand } from './selinux.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'moorage-storage-'));
  await mkdir(join(root, 'var'));
});

const run = async () => ({ exitCode: 1, stdout: '', stderr: '' });
const ensure = (folder: string, moving?: string) =>
  ensureStorage(
    { paths: paths(root), clock: systemClock, run },
    {
      storage: { kind: 'filesystem' },
      cache: { kind: 'memory' },
      registryDataDirectory: folder,
      domain: 'r.lan',
    },
    () => undefined,
    moving,
  );

async function diskWithImages(name: string): Promise<string> {
  await mkdir(join(root, name, 'docker/registry/v2/repositories/app'), { recursive: true });
  return join(root, name);
}

test('another folder than before: the old images are named, once', async () => {
  const one = await diskWithImages('one');
  expect(await ensure(one)).toMatchObject({ changed: false, summary: one });
  const two = join(root, 'two');
  expect(await ensure(two)).toMatchObject({
    changed: true,
    summary: expect.stringContaining(`THE IMAGES IN ${one} STAY THERE`),
  });
  expect(await ensure(two)).toMatchObject({ changed: false, summary: two });
});

test('a folder that never held anything is left without a word', async () => {
  await ensure(join(root, 'one'));
  expect(await ensure(join(root, 'two'))).toMatchObject({ changed: false });
});

test('images that were pushed since are named as well', async () => {
  await ensure(join(root, 'one'));
  const one = await diskWithImages('one');
  expect(await ensure(join(root, 'two'))).toMatchObject({
    summary: expect.stringContaining(`THE IMAGES IN ${one} STAY THERE`),
  });
});

test('a folder that got its first images since is missed, too, when it is empty', async () => {
  await ensure(join(root, 'one'));
  const one = await diskWithImages('one');
  await noteImages(paths(root), { storage: { kind: 'filesystem' }, registryDataDirectory: one });
  await rm(one, { recursive: true });
  await expect(ensure(one)).rejects.toMatchObject({ code: 'disk-emptied' });
});

test('a registry whose last repository was collected is no disk that is missing', async () => {
  const one = await diskWithImages('one');
  await ensure(one);
  await rm(join(one, 'docker/registry/v2/repositories/app'), { recursive: true });
  expect(await ensure(one)).toMatchObject({ changed: false });
});

test('a folder that held images and is empty now is a disk that is missing', async () => {
  const one = await diskWithImages('one');
  await ensure(one);
  await rm(one, { recursive: true });
  await expect(ensure(one)).rejects.toMatchObject({
    code: 'disk-emptied',
    remedy: expect.stringContaining('var/storage.json'),
  });
  await rm(join(root, 'var/storage.json'));
  expect(await ensure(one)).toMatchObject({ changed: false });
});

test('a note that can’t be read is none', async () => {
  await writeFile(join(root, 'var/storage.json'), '{');
  expect(await ensure(join(root, 'one'))).toMatchObject({ changed: false });
});

test('a file in the place of the folder is refused', async () => {
  await writeFile(join(root, 'file'), '');
  await expect(expectDataDirectory(join(root, 'file/images'))).rejects.toMatchObject({
    code: 'not-writable',
  });
});

const bucket = (redirect: boolean) => ({
  endpoint: { origin: 'https://s3.example.com', host: 's3.example.com', tls: true },
  redirect,
});
const place = (redirect: boolean, domain: string, ...addresses: string[]) =>
  expectReachableEndpoint(bucket(redirect), { domain }, async () => addresses);

test('an endpoint whose name leads to this machine alone is refused', async () => {
  await expect(place(false, 'r.lan', '10.0.0.5', '127.0.1.1')).rejects.toMatchObject({ code: 's3-loopback' });
  await expect(place(false, 'r.lan', '::1')).rejects.toMatchObject({ code: 's3-loopback' });
});

test('a public registry does not send its clients to a private address', async () => {
  await expect(place(true, 'r.example.com', '10.0.0.5')).rejects.toMatchObject({
    code: 's3-redirect-private',
  });
  await place(true, 'r.example.com', '192.0.2.5');
  await place(true, 'r.lan', '10.0.0.5');
  await place(false, 'r.example.com', '10.0.0.5');
});

test.each([
  ['1', 'system_u:object_r:container_file_t:s0', undefined],
  ['1', 'unconfined_u:object_r:default_t:s0', "sudo chcon -Rt container_file_t '/srv/my images'"],
  ['0', 'unconfined_u:object_r:default_t:s0', undefined],
  ['1', '?', undefined],
])('SELinux enforcing %s, labelled %s: %s', async (enforce, label, command) => {
  const file = join(root, 'enforce');
  await writeFile(file, enforce);
  const stat = async () => ({ exitCode: 0, stdout: `${label}\n`, stderr: '' });
  expect(await labelCommand('/srv/my images', stat, file)).toBe(command);
});

test('a machine without SELinux asks nobody', async () => {
  const never = async () => {
    throw new Error('asked');
  };
  expect(await labelCommand('/srv', never, join(root, 'none'))).toBeUndefined();
});

test('the place that images were moved from is not served as it was then', async () => {
  const one = await diskWithImages('one');
  await writeFile(join(one, OLD_MARK), 'moved');
  await expect(ensure(one)).rejects.toMatchObject({
    code: 'old-place',
    remedy: expect.stringContaining(OLD_MARK),
  });
});

test('images that come along are not said to stay, and whoever moves them notes the place', async () => {
  const one = await diskWithImages('one');
  await ensure(one);
  const two = join(root, 'two');
  expect(await ensure(two, one)).toMatchObject({
    changed: false,
    summary: expect.stringContaining('are moved there'),
  });
  expect(await ensure(two)).toMatchObject({ changed: true });
});
