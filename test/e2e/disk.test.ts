import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemCode } from '../../src/errors.ts';
import { digestOf } from '../../src/registry/digest.ts';
import { Checkout } from '../support/checkout.ts';
import { type Mounted, mountSmallDisk } from '../support/mounts.ts';
import { makeNetwork } from '../support/pebble.ts';
import { type Called, RegistryCalls } from '../support/registry-calls.ts';

const MIB = 1024 ** 2;
const DISK = 320;
const KEPT = 40;
const SOON = { timeout: 30_000, interval: 100 };

let checkout: Checkout;
let calls: RegistryCalls;
let as: string;
let data: string;
let disk: Mounted;
let hook: Server;
let docker: string;
const alerts: Record<string, unknown>[] = [];
const images: string[] = [];

beforeAll(async () => {
  checkout = await Checkout.make({ DISK_RESERVE: `${KEPT}MiB` });
  data = join(checkout.root, 'images of mine');
  await mkdir(data);
  disk = await mountSmallDisk(data, DISK * 1024);
  checkout.env.REGISTRY_DATA_DIR = data;
  const { gateway } = await makeNetwork(checkout);
  hook = createServer(async (asked, answer) => {
    alerts.push(JSON.parse(await text(asked)));
    answer.end();
  }).listen(0, gateway);
  await once(hook, 'listening');
  const address = hook.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { firstUser } = await checkout.init({ ALERT_URL: `http://${gateway}:${port}/` });
  as = `${firstUser?.name}:${firstUser?.password}`;
  calls = new RegistryCalls(checkout);
  docker = await mkdtemp(join(tmpdir(), 'docker-config-'));
  const login = ['login', '-u', firstUser?.name ?? '', '--password-stdin', checkout.authority];
  const password = firstUser?.password ?? '';
  const { exitCode } = await checkout.run('docker', ['--config', docker, ...login], { input: password });
  expect(exitCode).toBe(0);
});

afterAll(async () => {
  hook?.close();
  if (images.length > 0) await checkout.run('docker', ['image', 'rm', '--force', ...images]);
  await checkout?.compose('down', '--volumes', '--timeout', '2');
  await disk?.unmount();
  await checkout?.dispose();
  await rm(docker, { recursive: true, force: true });
});

/** MiB that are free on the disk. */
async function free(): Promise<number> {
  const { bavail, bsize } = await statfs(data);
  return (bavail * bsize) / MIB;
}

/** Somebody else's file, of so many MiB. */
async function ballast(name: string, megabytes: number): Promise<void> {
  await writeFile(join(data, name), Buffer.alloc(megabytes * MIB));
}

const removeBallast = (name: string) => rm(join(data, name), { force: true });

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
  const { stdout } = await checkout.npm('status');
  expect(stdout).toMatch(/Disk +3\d\d MiB free of 320 MiB; pushes are refused below 40 MiB/);
});

test('a layer that would fill the disk is cut before, and leaves nothing', async () => {
  const before = await free();
  const location = await begin('team/app');
  const { status, reason, text: body } = await stream(location, DISK * 2);
  expect(status).toBe(507);
  expect(reason).toMatch(
    /^Insufficient Storage \(no space left on device: [\d.]+ MiB free, 40 MiB are kept free/,
  );
  expect(JSON.parse(body)).toEqual({
    errors: [
      {
        code: 'DENIED',
        message: expect.stringMatching(
          /^the registry's disk is almost full: .* 40 MiB are kept free; pulls work;/,
        ),
        detail: null,
      },
    ],
  });
  expect(await uploads()).toEqual([]);
  expect(await free()).toBeGreaterThan(before - 1);
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

test('a push of Docker’s is cut, and says why', async () => {
  const image = await makeImage('team/large:1', DISK);
  const { exitCode, stdout, stderr } = await push(image);
  console.log(stdout.slice(-1000), stderr);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('40 MiB are kept free') });
  const b = await checkout.run('skopeo', ['copy', '--dest-tls-verify=false', '--dest-creds', as, `docker-daemon:${image}`, `docker://${image}`]);
  console.log(b.stdout, b.stderr);
  const c = await checkout.run('sh', ['-c', `ctr -n moorage-dev images ls; docker save ${image} | ctr -n moorage-dev images import --all-platforms - && ctr -n moorage-dev images push --skip-verify -u ${as} ${image}; ctr -n moorage-dev images rm ${image}`]);
  console.log(c.stdout, c.stderr);
  expect(await uploads()).toEqual([]);
});

test('below the mark: every push is refused, and whatever takes no room goes on', async () => {
  const begun = await begin('team/app');
  await ballast('ballast', Math.ceil((await free()) - KEPT + 10));
  await expect.poll(async () => (await calls.ask('POST', '/v2/team/app/blobs/uploads/', { as })).status, SOON).toBe(507);
  const { exitCode, stdout, stderr } = await push(await makeImage('team/small:1', 1));
  console.log(stdout, stderr);
  const b = await checkout.run('skopeo', ['copy', '--dest-tls-verify=false', '--dest-creds', as, `docker-daemon:${images.at(-1)}`, `docker://${images.at(-1)}`]);
  console.log(b.stdout, b.stderr);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('40 MiB are kept free') });
});
