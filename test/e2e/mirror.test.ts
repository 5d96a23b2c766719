import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Image, makeImage } from '../../src/registry/image.ts';
import { freePort } from '../support/checkout.ts';
import { GuardedStack } from '../support/guarded-stack.ts';
import { ANY_MANIFEST, RegistryCalls } from '../support/registry-calls.ts';
import { UpstreamRegistry } from '../support/upstream-registry.ts';

const ACCESS = `
users:
  admin: [admin]
  reader: [pull:mirror/lib/**]
  pusher: [push:team/**]
anonymous: [pull:mirror/public/**]
`;
const DAY = 24 * 60 * 60_000;

let upstream: UpstreamRegistry;
let stack: GuardedStack;
let mirror: RegistryCalls;
let image: Image;
let other: Image;

beforeAll(async () => {
  upstream = await UpstreamRegistry.start(await mkdtemp(join(tmpdir(), 'upstream-')));
  image = await makeImage('mirrored');
  other = await makeImage('mirrored, but later');
  for (const name of ['lib/app:1', 'lib/late:1', 'public/app:1']) await upstream.push(name, image);
  const MIRROR_PORT = String(await freePort());
  stack = await GuardedStack.open(ACCESS, ['reader', 'pusher'], { ...upstream.settings, MIRROR_PORT });
  mirror = new RegistryCalls({ env: { HTTPS_PORT: MIRROR_PORT } });
});

afterAll(async () => {
  await stack?.checkout.dispose();
  await upstream?.dispose();
});

const reader = () => ({ as: stack.login('reader') });
const manifest = (
  name: string,
  reference = image.manifest.digest,
  as: string | undefined = stack.login('reader'),
) => mirror.manifest(name, reference, as);
const layer = (name: string) => mirror.ask('GET', `/v2/${name}/blobs/${image.layer.digest}`, reader());
const cached = (digest: string) => {
  const hex = digest.slice('sha256:'.length);
  return join(
    stack.checkout.root,
    `var/mirror/docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`,
  );
};
const whole = (name: string) =>
  vi.waitUntil(async () => (await layer(name)).status === 200 && existsSync(cached(image.layer.digest)), {
    timeout: 20_000,
    interval: 100,
  });
const pushes = async (tag: string) =>
  (await stack.calls.pushImage('team/app', tag, stack.login('pusher'))).status;

describe('an image of the upstream', () => {
  test('is pulled under its own name, byte for byte, and kept', async () => {
    expect(await manifest('lib/app')).toMatchObject({ status: 200, text: image.manifest.bytes.toString() });
    const blob = await layer('lib/app');
    expect(blob.headers['docker-content-digest']).toBe(image.layer.digest);
    expect(blob.headers['content-length']).toBe(String(image.layer.bytes.length));
    await whole('lib/app');
    expect((await readFile(cached(image.layer.digest))).equals(image.layer.bytes)).toBe(true);
  });

  test('is pulled by a client that knows the mirror by its registries.conf alone', async () => {
    const { root, env } = stack.checkout;
    const mirrorAt = `localhost:${env.MIRROR_PORT}`;
    const file = join(root, 'var/registries.conf');
    await writeFile(
      file,
      `[[registry]]\nlocation = "${upstream.authority}"\n[[registry.mirror]]\nlocation = "${mirrorAt}"\n`,
    );
    // It trusts the mirror and not the upstream: there is no other way to the image.
    const copy = ['--registries-conf', file, 'copy', '--quiet', '--src-cert-dir', 'var/ca', '--src-no-creds'];
    const from = (name: string) => `docker://${upstream.authority}/${name}`;
    const digest = `@${image.manifest.digest}`;
    expect(
      await stack.checkout.run('skopeo', [...copy, from(`public/app${digest}`), 'dir:var/copied']),
    ).toMatchObject({
      exitCode: 0,
    });
    expect((await readFile(join(root, 'var/copied/manifest.json'))).equals(image.manifest.bytes)).toBe(true);
  });

  test('has the tags it has there', async () => {
    const { status, text } = await mirror.ask('GET', '/v2/lib/app/tags/list', reader());
    expect([status, JSON.parse(text)]).toEqual([200, { name: 'lib/app', tags: ['1'] }]);
  });

  test('is another one than the registry’s own of that name', async () => {
    const own = await stack.calls.pushImage('mirror/lib/app', '1', stack.login('admin'), 'our own');
    expect(own.status).toBe(201);
    expect((await manifest('lib/app', own.digest)).status).toBe(404);
    const ours = await stack.calls.manifest('mirror/lib/app', image.manifest.digest, stack.login('reader'));
    expect(ours.status).toBe(404);
  });
});

describe('who may', () => {
  test.each([
    ['reader', 'lib/app', 200],
    ['reader', 'public/app', 200],
    ['pusher', 'lib/app', 403],
    ['admin', 'lib/app', 200],
    [undefined, 'lib/app', 401],
    [undefined, 'public/app', 200],
  ])('%s at %s: %i', async (who, name, status) => {
    const as = who === undefined ? undefined : stack.login(who);
    const headers = { accept: ANY_MANIFEST };
    const uri = `/v2/${name}/manifests/${image.manifest.digest}`;
    expect((await mirror.ask('GET', uri, { as, headers })).status).toBe(status);
    expect((await mirror.ask('HEAD', uri, { as, headers })).status).toBe(status);
  });

  test('who comes without a login is led to a token at the mirror itself, and pulls with it', async () => {
    const at = `localhost:${stack.checkout.env.MIRROR_PORT}`;
    const asked = await mirror.ask('GET', '/v2/');
    expect([asked.status, asked.headers['www-authenticate']]).toEqual([
      401,
      `Bearer realm="https://${at}/v2/token",service="${at}"`,
    ]);
    const { token } = JSON.parse((await mirror.ask('GET', `/v2/token?service=${at}`)).text);
    const headers = { accept: ANY_MANIFEST, authorization: `Bearer ${token}` };
    const pull = async (name: string) =>
      (await mirror.ask('GET', `/v2/${name}/manifests/${image.manifest.digest}`, { headers })).status;
    expect([await pull('public/app'), await pull('lib/app')]).toEqual([200, 401]);
  });

  test.each([
    '/v2/../v2/lib/app/tags/list',
    '/v2/team/../lib/app/tags/list',
    '//v2/lib/app/tags/list',
    '/v2//lib/app/tags/list',
    '/%762/lib/app/tags/list',
    '/v2/lib%2fapp%2f..%2fx/tags/list',
  ])('nobody gets anything by %s', async (uri) => {
    const { status, text } = await mirror.ask('GET', uri, reader());
    expect([status, text]).toEqual([
      expect.toSatisfy((code: number) => code >= 400 && code < 500),
      expect.not.stringContaining('"tags"'),
    ]);
  });
});

describe('it is only read', () => {
  test.each([
    ['POST', '/v2/lib/app/blobs/uploads/'],
    ['PUT', '/v2/lib/app/manifests/1'],
    ['PATCH', '/v2/lib/app/blobs/uploads/x'],
    ['DELETE', '/v2/lib/app/manifests/1'],
  ])('%s %s is refused to an admin too', async (method, uri) => {
    const answer = await mirror.ask(method, uri, { as: stack.login('admin') });
    expect(answer).toMatchObject({ status: 405, codes: ['UNSUPPORTED'], headers: { allow: 'GET, HEAD' } });
  });

  test('it has no catalogue', async () => {
    expect(await mirror.ask('GET', '/v2/_catalog', { as: stack.login('admin') })).toMatchObject({
      status: 404,
      codes: ['UNSUPPORTED'],
    });
  });
});

describe('what is kept', () => {
  test('is dropped after MIRROR_KEEP_DAYS, and fetched again', async () => {
    await whole('lib/app');
    const old = new Date(Date.now() - 8 * DAY);
    await utimes(cached(image.layer.digest), old, old);
    await stack.checkout.compose('restart', 'relay');
    await vi.waitUntil(() => !existsSync(cached(image.layer.digest)), { timeout: 30_000, interval: 100 });
    await vi.waitUntil(async () => (await layer('lib/app')).status === 200, {
      timeout: 30_000,
      interval: 100,
    });
    await whole('lib/app');
  });

  test('is dropped when the disk is short of space; pulls go on past it', async () => {
    const reserve = (bytes: string) =>
      stack.checkout.run('docker', ['compose', 'up', '--detach', '--no-build', 'relay'], {
        env: { DISK_RESERVE: bytes },
      });
    await whole('lib/app');
    expect(await reserve('800TiB')).toMatchObject({ exitCode: 0 });
    await vi.waitUntil(() => !existsSync(cached(image.layer.digest)), { timeout: 30_000, interval: 100 });
    await vi.waitUntil(async () => (await layer('lib/app')).status === 200, {
      timeout: 30_000,
      interval: 100,
    });
    expect(await reserve('2GiB')).toMatchObject({ exitCode: 0 });
    await whole('lib/app');
  });
});

describe('while the upstream is cut off', () => {
  beforeAll(async () => {
    await vi.waitUntil(async () => (await manifest('lib/app', '1')).status === 200, {
      timeout: 30_000,
      interval: 100,
    });
    await manifest('lib/app');
    await whole('lib/app');
    await upstream.cutOff();
  });

  test('what is kept is pulled, by tag and by digest', async () => {
    for (const reference of ['1', image.manifest.digest])
      expect([reference, (await manifest('lib/app', reference)).status]).toEqual([reference, 200]);
    expect((await layer('lib/app')).text).toBe(image.layer.bytes.toString());
  });

  test('what is not is told to come later', async () => {
    const answer = await manifest('lib/late', other.manifest.digest);
    expect(answer).toMatchObject({ status: 503, codes: ['UNAVAILABLE'], headers: { 'retry-after': '5' } });
    const { status } = await mirror.ask('GET', `/v2/lib/late/blobs/${other.layer.digest}`, reader());
    expect([status, (await manifest('lib/late', '1')).status]).toEqual([503, 503]);
  });

  test('the mirror starts all the same', async () => {
    await stack.checkout.compose('restart', 'mirror', 'relay');
    await vi.waitUntil(async () => (await manifest('lib/app', '1')).status === 200, {
      timeout: 60_000,
      interval: 100,
    });
  });

  test('the registry and init-tls don’t mind', async () => {
    expect(await pushes('while-cut-off')).toBe(201);
    const { steps } = await stack.checkout.init();
    expect(steps.find(({ title }) => title === 'Upstream')?.summary).toMatch(
      /does not answer: .*goes on when/,
    );
    const { stdout } = await stack.checkout.command('status');
    expect(stdout).toMatch(
      new RegExp(`Mirror +localhost:\\d+\\n +https://${upstream.authority} does not answer`),
    );
  });

  test('restored, it goes on by itself', async () => {
    await upstream.restore();
    await upstream.push('lib/late:2', other);
    const late = async () => (await manifest('lib/late', '2')).status;
    await vi.waitUntil(async () => (await late()) === 200, { timeout: 30_000, interval: 200 });
    expect((await manifest('lib/late', other.manifest.digest)).text).toBe(other.manifest.bytes.toString());
  });
});

test('without the gate nobody gets in', async () => {
  await stack.checkout.compose('stop', 'gate');
  const asked = [stack.login('admin'), undefined].flatMap((as) =>
    [image.manifest.digest, other.layer.digest].map((digest) => manifest('public/app', digest, as)),
  );
  for (const answer of await Promise.all(asked)) // each is held back until nobody comes
    expect(answer).toMatchObject({ status: 503, codes: ['UNAVAILABLE'] });
  await stack.checkout.compose('start', 'gate');
  await vi.waitUntil(async () => (await manifest('lib/app')).status === 200, {
    timeout: 30_000,
    interval: 100,
  });
});

test('a mirror that can’t write what it fetches hands it on', async () => {
  const folder = join(stack.checkout.root, 'var/mirror/docker/registry/v2');
  await rename(folder, `${folder}-aside`);
  await writeFile(folder, 'no folder');
  expect(await manifest('lib/app')).toMatchObject({ status: 200, text: image.manifest.bytes.toString() });
  await rm(folder);
  await rename(`${folder}-aside`, folder);
  await vi.waitUntil(async () => (await layer('lib/app')).status === 200, { timeout: 60_000, interval: 200 });
});

test('without the mirror its own address alone says so', async () => {
  await stack.checkout.compose('stop', 'mirror');
  expect(await layer('lib/app')).toMatchObject({
    status: 503,
    codes: ['UNAVAILABLE'],
    headers: { 'retry-after': '5' },
  });
  expect(await pushes('without-mirror')).toBe(201);
  await stack.checkout.compose('start', 'mirror');
});

test('no log and no argument has the password of the upstream', async () => {
  const { stdout, stderr } = await stack.checkout.compose('logs');
  expect(stdout + stderr).not.toContain(upstream.password);
});

test('a wrong login is found out before anything changes', async () => {
  const ran = await stack.checkout.command('init-tls', ['--yes'], { env: { MIRROR_PASSWORD: 'wrong-one' } });
  expect(ran).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/refuses MIRROR_USERNAME and MIRROR_PASSWORD/),
  });
  expect(ran.stderr + ran.stdout).not.toContain('wrong-one');
  expect((await layer('lib/app')).status).toBe(200);
});

test('run again it changes nothing', async () => {
  expect(await stack.checkout.init()).toMatchObject({ changed: false });
});

test('without MIRROR_OF nothing of it is left but what it has kept', async () => {
  await stack.checkout.init({ MIRROR_OF: '' });
  const { stdout } = await stack.checkout.compose('ps', '--all', '--services');
  expect(stdout.split('\n').sort()).toEqual(['gate', 'nginx', 'registry', 'renewer']);
  expect(await stack.checkout.networks()).toEqual(['frontend']);
  await expect(layer('lib/app')).rejects.toThrow('ECONNREFUSED');
  expect(await readdir(join(stack.checkout.root, 'var/mirror'))).toContain('docker');
  expect(await pushes('without-mirror-at-all')).toBe(201);
});
