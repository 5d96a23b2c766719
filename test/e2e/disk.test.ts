import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  statfs,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { systemCode } from '../../src/errors.ts';
import { MANIFEST_TYPE } from '../../src/registry/image.ts';
import { Checkout, loginOf } from '../support/checkout.ts';
import { listen } from '../support/listening.ts';
import { type Mounted, mountSmallDisk } from '../support/mounts.ts';
import { makeNetwork } from '../support/pebble.ts';
import { type Called, RegistryCalls } from '../support/registry-calls.ts';

const MIB = 1024 ** 2;
const DISK = 500;
/** More than init-tls wants for its own state. */
const KEPT = 250;
const SOON = { timeout: 30_000, interval: 100 };

let checkout: Checkout;
let calls: RegistryCalls;
let as: string;
/** The small disk: images, and the state of the gate. */
let disk: string;
let data: string;
let mounted: Mounted;
let hook: Server;
let docker: string;
const alerts: Record<string, unknown>[] = [];
const images: string[] = [];

beforeAll(async () => {
  checkout = await Checkout.make({ DISK_RESERVE: `${KEPT}MiB` });
  disk = join(checkout.root, 'small disk');
  await mkdir(disk);
  mounted = await mountSmallDisk(disk, DISK * 1024);
  data = join(disk, 'images');
  await mkdir(join(disk, 'gate'));
  await mkdir(join(checkout.root, 'var'));
  await symlink(join(disk, 'gate'), join(checkout.root, 'var/gate'));
  checkout.env.REGISTRY_DATA_DIR = data;
  const { gateway } = await makeNetwork(checkout);
  hook = createServer(async (asked, answer) => {
    alerts.push(JSON.parse(await text(asked)));
    answer.end();
  });
  const port = await listen(hook, gateway);
  const made = await checkout.init({ ALERT_URL: `http://${gateway}:${port}/` });
  as = loginOf(made);
  calls = new RegistryCalls(checkout);
  docker = await mkdtemp(join(tmpdir(), 'docker-config-'));
  const login = ['login', '-u', made.firstUser?.name ?? '', '--password-stdin', checkout.authority];
  const password = made.firstUser?.password ?? '';
  const { exitCode } = await checkout.run('docker', ['--config', docker, ...login], { input: password });
  expect(exitCode).toBe(0);
});

afterAll(async () => {
  hook?.close();
  if (images.length > 0) await checkout.run('docker', ['image', 'rm', '--force', ...images]);
  await checkout?.compose('down', '--volumes', '--timeout', '2');
  await mounted?.unmount();
  await checkout?.dispose();
  await rm(docker, { recursive: true, force: true });
});

/** MiB that are free on the disk. */
async function free(): Promise<number> {
  const { bavail, bsize } = await statfs(disk);
  return (bavail * bsize) / MIB;
}

/** A file of somebody else's, of so many MiB. */
async function ballast(megabytes: number): Promise<void> {
  await writeFile(join(disk, 'ballast'), Buffer.alloc(megabytes * MIB));
}

async function fillUp(): Promise<void> {
  for (;;) {
    try {
      await writeFile(join(disk, 'ballast'), Buffer.alloc(MIB), { flag: 'a' });
    } catch (error) {
      if (systemCode(error) === 'ENOSPC') return;
      throw error;
    }
  }
}

const pulling = {
  get as() {
    return as;
  },
  headers: { accept: MANIFEST_TYPE },
};

const readAudit = () => readFile(join(checkout.root, 'var/gate/audit.log'), 'utf8');

/** What is answered to who wants to begin an upload; one that may is given up again. */
async function starting(): Promise<number> {
  const { status, headers } = await calls.ask('POST', '/v2/team/app/blobs/uploads/', { as });
  if (status === 202) await calls.ask('DELETE', pathOf(headers.location), { as });
  return status;
}

function pathOf(location: unknown): string {
  const { pathname, search } = new URL(String(location), 'https://localhost');
  return `${pathname}${search}`;
}

async function begin(repository: string): Promise<string> {
  const started = await calls.ask('POST', `/v2/${repository}/blobs/uploads/`, { as });
  expect(started.status).toBe(202);
  return pathOf(started.headers.location);
}

/** Streams megabytes one by one, as many as are taken, and says how that ended. */
async function stream(location: string, megabytes: number): Promise<Called & { reason: string }> {
  const asked = request({
    host: '127.0.0.1',
    port: checkout.env.HTTPS_PORT,
    method: 'PATCH',
    path: location,
    rejectUnauthorized: false,
    headers: {
      authorization: `Basic ${Buffer.from(as).toString('base64')}`,
      'content-type': 'application/octet-stream',
    },
  });
  const answered = once(asked, 'response');
  const body = Readable.from(
    (function* () {
      for (let sent = 0; sent < megabytes; sent += 1) yield randomBytes(MIB);
    })(),
  );
  pipeline(body, asked).catch(() => undefined);
  const [response] = await answered;
  const content = await text(response);
  return {
    status: response.statusCode,
    reason: response.statusMessage,
    headers: response.headers,
    text: content,
    codes: [],
  };
}

/** Uploads that have not become blobs. Of one that is cancelled distribution itself leaves an empty hash's state. */
async function uploads(): Promise<string[]> {
  const all = await readdir(data, { recursive: true });
  return all.filter((name) => /_uploads\/[^/]+\/(data|startedat)$/.test(name));
}

/** An image in the engine with one layer of so many megabytes. */
async function makeImage(name: string, megabytes: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'image-'));
  await writeFile(join(folder, 'content'), randomBytes(megabytes * MIB));
  const image = `${checkout.authority}/${name}`;
  const command = 'tar -C "$1" -c content | docker import - "$2"';
  expect(await checkout.run('sh', ['-c', command, 'sh', folder, image])).toMatchObject({ exitCode: 0 });
  await rm(folder, { recursive: true });
  images.push(image);
  return image;
}

const push = (image: string) => checkout.run('docker', ['--config', docker, 'push', image]);

test('an image is pushed while there is room', async () => {
  expect(await calls.pushImage('team/app', 'v1', as)).toMatchObject({ status: 201 });
  const { stdout } = await checkout.command('status');
  expect(stdout).toMatch(/Disk +4\d\d MiB free of 500 MiB; pushes are refused below 250 MiB/);
});

test('a layer that would fill the disk is cut before, and leaves nothing', async () => {
  const before = await free();
  const location = await begin('team/app');
  const { status, reason, text: body } = await stream(location, DISK * 2);
  expect(status).toBe(507);
  expect(reason).toMatch(
    /^Insufficient Storage \(no space left on device: [\d.]+ MiB free, 250 MiB are kept free/,
  );
  expect(JSON.parse(body)).toEqual({
    errors: [
      {
        code: 'DENIED',
        message: expect.stringMatching(
          /^the registry’s disk is almost full: .* 250 MiB are kept free; pulls work;/,
        ),
        detail: null,
      },
    ],
  });
  expect(await uploads()).toEqual([]);
  expect(await free()).toBeGreaterThan(before - 1);
});

test.each(['--http1.1', '--http2'])('so is one of curl’s, which sees the reason: %s', async (version) => {
  await writeFile(join(checkout.root, 'var/body'), '');
  await truncate(join(checkout.root, 'var/body'), DISK * MIB);
  const url = `https://${checkout.authority}${await begin('team/app')}`;
  const send = ['-X', 'PATCH', '-T', '-', '-H', 'Content-Type: application/octet-stream', '-H', 'Expect:'];
  const command = 'curl -sS "$@" < var/body';
  const login = ['--cacert', 'var/ca/ca.crt', '-u', as, '-w', '%{http_code}'];
  const { stdout } = await checkout.run('sh', ['-c', command, 'sh', version, ...login, ...send, url]);
  expect(stdout).toMatch(/"DENIED".* 250 MiB are kept free.*\n507$/);
  expect(await uploads()).toEqual([]);
});

test('of layers that fit alone and not together, some are cut and the others come through', async () => {
  const before = await free();
  const size = Math.floor((before - KEPT) * 0.6);
  const locations = await Promise.all([begin('team/app'), begin('team/other'), begin('team/third')]);
  const answers = await Promise.all(locations.map((location) => stream(location, size)));
  const statuses = answers.map(({ status }) => status).sort();
  expect(statuses).toContain(202);
  expect(statuses).toContain(507);
  expect(statuses.every((status) => [202, 507].includes(status))).toBe(true);
  for (const { status, headers } of answers)
    if (status === 202)
      expect(await calls.ask('DELETE', pathOf(headers.location), { as })).toMatchObject({ status: 204 });
  expect(await uploads()).toEqual([]);
  expect(await free()).toBeGreaterThan(before - 1);
});

test('a layer that says how large it is, and is too large, is refused before a byte of it is taken', async () => {
  const location = await begin('team/app');
  const headers = { 'content-type': 'application/octet-stream' };
  const body = Buffer.alloc((DISK - KEPT) * MIB);
  const answer = await calls.ask('PATCH', location, { as, body, headers });
  expect(answer).toMatchObject({ status: 507, codes: ['DENIED'] });
  expect(await uploads()).toEqual([]);
});

test('a push of Docker’s is cut, and it says why', async () => {
  const { exitCode, stderr } = await push(await makeImage('team/large:1', DISK - KEPT + 20));
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: expect.stringMatching(/507 Insufficient Storage .* 250 MiB are kept free/),
  });
  expect(await uploads()).toEqual([]);
});

describe('below the mark', () => {
  let begun: string;
  let other: string;
  let blob: string;
  let digest: string;

  beforeAll(async () => {
    begun = await begin('team/app');
    other = await begin('team/app');
    blob = await calls.pushBlob('team/app', 'a blob that others mount', as);
    ({ digest } = await calls.pushImage('team/app', 'v2', as));
    await ballast(Math.ceil((await free()) - KEPT + 5));
    await vi.waitUntil(async () => (await starting()) === 507, SOON);
  });

  test('a push is refused at its start, and docker and skopeo say why', async () => {
    const image = await makeImage('team/small:1', 1);
    const why = /507 Insufficient Storage .* 24\d MiB free, 250 MiB are kept free/;
    expect(await push(image)).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(why) });
    const archive = join(checkout.root, 'small.tar');
    expect(await checkout.run('docker', ['save', '--output', archive, image])).toMatchObject({ exitCode: 0 });
    const to = ['--dest-tls-verify=false', '--dest-creds', as, `docker://${image}`];
    const copied = await checkout.run('skopeo', ['copy', `docker-archive:${archive}`, ...to]);
    expect(copied).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(why) });
  });

  test('an upload that had begun gets no data more, and is given up; so is a new tag', async () => {
    const headers = { 'content-type': 'application/octet-stream' };
    expect(await calls.ask('PATCH', begun, { as, body: 'data', headers })).toMatchObject({ status: 507 });
    expect(await calls.ask('GET', begun, { as })).toMatchObject({ status: 404 });
    const { text: manifest, headers: told } = await calls.ask('GET', '/v2/team/app/manifests/v1', pulling);
    const tagged = { as, body: manifest, headers: { 'content-type': String(told['content-type']) } };
    expect(await calls.ask('PUT', '/v2/team/app/manifests/v3', tagged)).toMatchObject({ status: 507 });
  });

  test('what takes no room goes on: pulls, deletes, mounts, cancelled uploads', async () => {
    expect(await calls.ask('GET', '/v2/team/app/manifests/v1', pulling)).toMatchObject({ status: 200 });
    expect(await calls.ask('GET', `/v2/team/app/blobs/${blob}`, { as })).toMatchObject({ status: 200 });
    const mount = (what: string) =>
      calls.ask('POST', `/v2/team/mounting/blobs/uploads/?mount=${what}&from=team/app`, { as });
    expect(await mount(blob)).toMatchObject({ status: 201 });
    expect(await mount(`sha256:${'0'.repeat(64)}`)).toMatchObject({ status: 507 });
    expect(await calls.ask('HEAD', other, { as })).toMatchObject({ status: 204 });
    expect(await calls.ask('DELETE', other, { as })).toMatchObject({ status: 204 });
    expect(await uploads()).toEqual([]);
    expect(await calls.ask('DELETE', `/v2/team/app/manifests/${digest}`, { as })).toMatchObject({
      status: 202,
    });
  });

  test('status, an alert and the audit log say so', async () => {
    const low =
      /Disk +only 24\d MiB free of 500 MiB: pushes are refused below 250 MiB, and taken again from 275 MiB on/;
    expect(await checkout.command('status')).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(low),
    });
    const { disk: told } = JSON.parse((await checkout.command('status', ['--json'])).stdout);
    expect(told).toMatchObject({ kind: 'low', mark: KEPT * MIB, size: DISK * MIB });
    await checkout.compose('restart', 'renewer');
    await expect.poll(() => alerts, SOON).toHaveLength(2);
    expect(alerts[0]).toMatchObject({ event: 'disk-short', severity: 'warning' });
    expect(alerts[1]).toMatchObject({ event: 'disk-low', severity: 'critical', disk: { mark: KEPT * MIB } });
    const lines = (await readFile(join(checkout.root, 'var/gate/audit.log'), 'utf8')).match(/"disk-full"/g);
    expect(lines?.length).toBeGreaterThan(0);
    expect(lines?.length).toBeLessThan(5);
  });

  test('init-tls, which has pushed before, says so and goes on', async () => {
    const { stderr } = await checkout.command('init-tls', ['--yes', '--json']);
    expect(stderr).toMatch(/Disk .*only 24\d MiB free of 500 MiB: pushes are refused/);
    await rm(join(checkout.root, 'var/proof.json'));
    await checkout.compose('rm', '--stop', '--force', 'renewer');
    const again = await checkout.command('init-tls', ['--yes', '--json']);
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toMatch(/was refused: .*250 MiB are kept free.*\n.*DISK_RESERVE/);
    expect((await checkout.compose('ps', '--services')).stdout).toContain('renewer');
  });

  test('with room again pushes are taken by themselves, and that is told too', async () => {
    await rm(join(disk, 'ballast'));
    await expect.poll(starting, SOON).toBe(202);
    expect(await calls.pushImage('team/app', 'v4', as)).toMatchObject({ status: 201 });
    expect(await checkout.command('init-tls', ['--yes', '--json'])).toMatchObject({ exitCode: 0 });
    await checkout.compose('restart', 'renewer');
    await expect.poll(() => alerts, SOON).toHaveLength(3);
    expect(alerts[2]).toMatchObject({ event: 'disk-recovered', severity: 'info' });
  });
});

test('a disk that somebody else fills to the last byte: pulls go on, and with room again all is well', async () => {
  const size = (await readAudit()).length;
  await fillUp();
  await expect.poll(starting, SOON).toBe(507);
  expect(await free()).toBe(0);
  expect(await calls.ask('GET', '/v2/team/app/manifests/v1', pulling)).toMatchObject({ status: 200 });
  const pulled = await checkout.run('skopeo', [
    'inspect',
    '--raw',
    '--tls-verify=false',
    '--creds',
    as,
    `docker://${checkout.authority}/team/app:v1`,
  ]);
  expect(pulled).toMatchObject({ exitCode: 0 });
  await rm(join(disk, 'ballast'));
  await expect.poll(starting, SOON).toBe(202);
  expect(await calls.pushImage('team/app', 'v5', as)).toMatchObject({ status: 201 });
  await expect.poll(async () => (await readAudit()).slice(size), SOON).toContain('"tag":"v5"');
});
