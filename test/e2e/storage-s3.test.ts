import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { digestOf } from '../../src/registry/digest.ts';
import { MANIFEST_TYPE, makeImage } from '../../src/registry/image.ts';
import { Checkout, loginOf } from '../support/checkout.ts';
import { writeLayout } from '../support/oci-layout.ts';
import { RegistryCalls } from '../support/registry-calls.ts';
import { READER, type S3Server, startS3 } from '../support/s3.ts';
import { StorageFaults } from '../support/storage-faults.ts';

let s3: S3Server;
let faults: StorageFaults;
let checkout: Checkout;
let calls: RegistryCalls;
let login: string;
let layout: string;

beforeAll(async () => {
  s3 = await startS3();
  faults = await StorageFaults.start(s3);
  checkout = await Checkout.make({
    ...s3.settings,
    S3_ENDPOINT: `http://${s3.host}:${faults.port}`,
    REDIS_URL: 'stack',
  });
  login = loginOf(await checkout.init());
  calls = new RegistryCalls(checkout);
  layout = await mkdtemp(join(tmpdir(), 'moorage-layout-'));
  await writeLayout(layout, [{ architecture: 'amd64', image: await makeImage('by skopeo') }]);
});

afterEach(() => {
  faults.mood = { kind: 'well' };
});

afterAll(async () => {
  await checkout?.dispose();
  await faults?.close();
  await s3?.dispose();
  if (layout !== undefined) await rm(layout, { recursive: true });
});

const get = (path: string) => calls.ask('GET', path, { as: login, headers: { accept: MANIFEST_TYPE } });
const redis = async (...command: string[]) =>
  (await checkout.compose('exec', '-T', 'redis', 'redis-cli', ...command)).stdout;

/** Pushes or pulls with skopeo, which tries again by itself as often as Docker does. */
const skopeo = (from: string, to: string) =>
  execa('skopeo', [
    ...['copy', '--all', '--retry-times', '6', '--dest-tls-verify=false', '--src-tls-verify=false'],
    ...(from.startsWith('docker:') ? ['--src-creds', login] : ['--dest-creds', login]),
    ...[from, to],
  ]);
const remote = (name: string) => `docker://${checkout.authority}/${name}`;

async function pull(name: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'moorage-pulled-'));
  await skopeo(remote(name), `oci:${folder}:pulled`);
  await rm(folder, { recursive: true });
}

test('what is pushed is in the bucket, under the root directory, and nothing of the check is left there', async () => {
  const { digest } = await calls.pushImage('team/app', 'one', login);
  const answer = await get('/v2/team/app/manifests/one');
  expect([answer.status, digestOf(Buffer.from(answer.text))]).toEqual([200, digest]);
  const { body } = await s3.ask('GET', '', { query: { 'list-type': '2', prefix: s3.bucket.rootDirectory } });
  expect(body).toContain('<Key>registries/one/docker/registry/v2/repositories/team/app/');
  expect(body).not.toContain('probe');
});

test('what is deleted is gone', async () => {
  const { digest } = await calls.pushImage('team/app', 'two', login);
  expect((await calls.ask('DELETE', `/v2/team/app/manifests/${digest}`, { as: login })).status).toBe(202);
  expect((await get('/v2/team/app/manifests/two')).status).toBe(404);
});

test('a blob comes through the registry, and Redis remembers it', async () => {
  const digest = await calls.pushBlob('team/app', 'a layer', login);
  const { status, text } = await get(`/v2/team/app/blobs/${digest}`);
  expect([status, text]).toEqual([200, 'a layer']);
  expect(await redis('--scan', '--pattern', `*${digest}*`)).toContain(digest);
});

test('the registry serves while Redis stops and starts again', async () => {
  const images = Array.from({ length: 12 }, (_, index) => `app-${index}`);
  const work = Promise.all(
    images.map(async (tag) => {
      const { status } = await calls.pushImage('team/busy', tag, login);
      return [status, (await get(`/v2/team/busy/manifests/${tag}`)).status];
    }),
  );
  await checkout.compose('stop', '--timeout', '1', 'redis');
  expect((await calls.pushImage('team/busy', 'without', login)).status).toBe(201);
  expect((await get('/v2/team/busy/manifests/without')).status).toBe(200);
  await checkout.compose('start', 'redis');
  expect(await work).toEqual(images.map(() => [201, 200]));
  const digest = await calls.pushBlob('team/busy', 'remembered again', login);
  const known = async () => redis('--scan', '--pattern', `*${digest}*`);
  const again = async () => ((await get(`/v2/team/busy/blobs/${digest}`)).status === 200 ? known() : '');
  await expect.poll(again, { timeout: 60_000 }).toContain(digest);
});

test('while S3 answers 503 for a moment clients notice nothing: the registry asks again', async () => {
  await skopeo(`oci:${layout}`, remote('team/skopeo:1'));
  const before = faults.refused;
  faults.mood = { kind: 'unwell' };
  const clients = Promise.all([skopeo(`oci:${layout}`, remote('team/skopeo:2')), pull('team/skopeo:1')]);
  await Promise.race([
    clients,
    expect.poll(() => faults.refused - before, { timeout: 60_000 }).toBeGreaterThan(1),
  ]);
  faults.mood = { kind: 'well' };
  await clients;
});

test('while S3 answers 503 for long the error is clean, and it ends with its cause', async () => {
  await calls.pushImage('team/app', 'one', login);
  const digest = await calls.pushBlob('team/app', 'a layer in trouble', login);
  faults.mood = { kind: 'unwell' };
  const { status, codes, text } = await get('/v2/team/app/manifests/one');
  expect(status).toBeGreaterThanOrEqual(500);
  expect(codes).toHaveLength(1);
  expect(text).not.toContain(s3.bucket.accessKey);
  // Redis knows the blob, so its headers are on their way before S3 refuses: cut off, never short and well.
  const blob = await get(`/v2/team/app/blobs/${digest}`).then(
    ({ status }) => status >= 500,
    () => true,
  );
  expect(blob).toBe(true);
  faults.mood = { kind: 'well' };
  const answer = async () => (await get(`/v2/team/app/blobs/${digest}`).catch(() => undefined))?.status;
  await expect.poll(answer, { timeout: 60_000, interval: 500 }).toBe(200);
});

test('a slow S3 only takes longer', async () => {
  faults.mood = { kind: 'slow', milliseconds: 300 };
  await skopeo(`oci:${layout}`, remote('team/skopeo:slow'));
  await pull('team/skopeo:slow');
  expect(faults.delayed).toBeGreaterThan(5);
});

test('keys are neither in the log nor in an argument', async () => {
  const { stdout } = await checkout.compose('logs', 'registry');
  const { stdout: processes } = await checkout.compose('top', 'registry');
  expect(stdout + processes).not.toContain(s3.bucket.secretKey.reveal());
});

test.each<[string, () => Record<string, string>, RegExp]>([
  ['a wrong secret key', () => ({ S3_SECRET_KEY: 'hush' }), /S3_SECRET_KEY is not that of S3_ACCESS_KEY/],
  ['no such bucket', () => ({ S3_BUCKET: 'other' }), /There is no bucket other/],
  ['another region', () => ({ S3_REGION: 'eu-west-1' }), /Set S3_REGION to us-east-1/],
  [
    'a key that may not',
    () => ({ S3_ACCESS_KEY: READER.accessKey, S3_SECRET_KEY: READER.secretKey }),
    /may not list objects.*\n.*s3:ListBucket/,
  ],
  ['nobody there', () => ({ S3_ENDPOINT: `http://${s3.host}:9` }), /does not answer/],
  ['no such host', () => ({ S3_ENDPOINT: 'http://s3.does-not-resolve.example' }), /There is no host/],
  ['no TLS', () => ({ S3_ENDPOINT: `https://${s3.host}:${faults.port}` }), /does not speak TLS/],
  ['no Redis', () => ({ REDIS_URL: `redis://${s3.host}:9` }), /Redis at .* does not answer/],
])('%s: exit 1 with the remedy, and nothing has changed', async (_, wrong, reason) => {
  const { exitCode, stderr } = await checkout.command('init-tls', ['--yes'], { env: wrong() });
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(reason) });
  expect(stderr).not.toContain('hush');
  expect((await get('/v2/team/app/manifests/one')).status).toBe(200);
});

test('an endpoint that only this machine reaches: exit 2', async () => {
  const env = { S3_ENDPOINT: `http://127.0.0.1:${faults.port}` };
  const { exitCode, stderr } = await checkout.command('init-tls', ['--yes'], { env });
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/S3_ENDPOINT: /) });
});

test('S3_REDIRECT=true sends clients to the bucket, and they get what they want there', async () => {
  const { steps } = await checkout.init({ S3_REDIRECT: 'true' });
  expect(steps.find(({ title }) => title === 'Proof')).toMatchObject({ changed: true });
  const digest = await calls.pushBlob('team/app', 'fetched elsewhere', login);
  const { status, headers } = await get(`/v2/team/app/blobs/${digest}`);
  expect([status, new URL(String(headers.location)).origin]).toEqual([307, checkout.env.S3_ENDPOINT]);
  const direct = await fetch(String(headers.location));
  expect(await direct.text()).toBe('fetched elsewhere');
  await pull('team/skopeo:1');
});

test('back to files: what is in the bucket stays there, and init-tls says so', async () => {
  const { steps } = await checkout.init({ STORAGE: 'filesystem', REDIS_URL: '' });
  const storage = steps.find(({ title }) => title === 'Storage');
  expect(storage?.summary).toMatch(/THE IMAGES IN bucket images\/registries\/one .* STAY THERE/);
  expect((await get('/v2/team/app/manifests/one')).status).toBe(404);
  expect((await checkout.compose('ps', '--all', '--services')).stdout).not.toContain('redis');
  expect(await checkout.networks()).toEqual(['frontend']);
  expect(await checkout.init()).toMatchObject({ changed: false });
});
