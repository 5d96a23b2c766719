import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, utimes } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/registry/digest.ts';
import { systemClock } from '../../src/system/clock.ts';
import { Checkout, loginOf, type Ran } from '../support/checkout.ts';
import { type Mounted, mountSmallDisk } from '../support/mounts.ts';
import { ImagePusher, type Pushed } from '../support/pushed-images.ts';
import { type Called, RegistryCalls } from '../support/registry-calls.ts';

const MIB = 1024 ** 2;
const SOON = { timeout: 60_000, interval: 50 };
/** Milliseconds between two questions. */
const BETWEEN = 50;
const TWO_DAYS = 2 * 24 * 60 * 60;

let checkout: Checkout;
let calls: RegistryCalls;
let pusher: ImagePusher;
let as: string;
/** A disk of its own, so that nobody else changes what df says. */
let disk: string;
let mounted: Mounted;

beforeAll(async () => {
  checkout = await Checkout.make({ DISK_RESERVE: '0' });
  disk = join(checkout.root, 'disk');
  await mkdir(disk);
  mounted = await mountSmallDisk(disk, 400 * 1024);
  as = loginOf(await checkout.init({ REGISTRY_DATA_DIR: join(disk, 'images') }));
  calls = new RegistryCalls(checkout);
  pusher = new ImagePusher(calls, as);
});

afterAll(async () => {
  await checkout?.compose('down', '--volumes', '--timeout', '2');
  await mounted?.unmount();
  await checkout?.dispose();
});

const gc = (...args: string[]) => checkout.command('gc', args);
const v2 = (...path: string[]) => join(disk, 'images/docker/registry/v2', ...path);
const blobFile = (digest: string) => v2('blobs/sha256', digest.slice(7, 9), digest.slice(7), 'data');
const manifest = (repository: string, reference: string) => calls.manifest(repository, reference, as);
const catalog = async () => JSON.parse((await calls.ask('GET', '/v2/_catalog', { as })).text).repositories;

async function begin(repository: string): Promise<string> {
  const { headers, status } = await calls.ask('POST', `/v2/${repository}/blobs/uploads/`, { as });
  expect(status).toBe(202);
  const { pathname, search } = new URL(String(headers.location), 'https://localhost');
  return `${pathname}${search}`;
}

/** The digest of every file. */
async function files(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(v2(), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found.set(path.slice(v2().length + 1), createHash('sha256').update(readFileSync(path)).digest('hex'));
  }
  return found;
}

/** Asks again and again until `work` ends. */
async function during<T>(
  work: Promise<T>,
  ask: () => Promise<Called>,
): Promise<{ done: T; answers: Called[] }> {
  const answers: Called[] = [];
  let ended = false;
  const end = () => {
    ended = true;
  };
  work.then(end, end);
  while (!ended) {
    answers.push(await ask());
    await systemClock.sleep(BETWEEN); // leaves the machine to those who are watched
  }
  return { done: await work, answers };
}

describe('a registry with much in it', () => {
  let index: Pushed;
  let signature: Pushed;
  let live: string;
  let large: string;
  let ran: Ran;
  let writes: Called[];
  let reads: Called[];
  let before: Map<string, string>;

  beforeAll(async () => {
    const images = [
      await pusher.image('team/app', undefined, ['shared', 'for amd64']),
      await pusher.image('team/app', undefined, ['shared', 'for arm64']),
    ];
    index = await pusher.index('team/app', 'multi', images);
    signature = await pusher.image('team/app', undefined, ['a signature'], { subject: index });
    large = 'x'.repeat(40 * MIB);
    await pusher.delete('deep/down/old', await pusher.image('deep/down/old', 'v1', [large, 'shared']));
    await calls.pushBlob('team/half', 'of a push that was given up', as);
    await begin('team/abandoned');
    for (const name of await readdir(v2('repositories/team/abandoned/_uploads'), { recursive: true }))
      await utimes(v2('repositories/team/abandoned/_uploads', name), ...twoDaysAgo());
    live = await begin('team/live');
    live = pathOf((await calls.ask('PATCH', live, octets('first half, '))).headers.location);
    before = await files();
  });

  test('--dry-run says what would go, and nothing does', async () => {
    const { exitCode, stdout } = await gc('--dry-run', '--json');
    expect(exitCode).toBe(0);
    const { blobs, bytes } = JSON.parse(stdout);
    expect(blobs).toContain(digestOf(Buffer.from(large)));
    expect(bytes).toBeGreaterThan(large.length);
    expect(await files()).toEqual(before);
  });

  test('what no image needs is taken away, while pulls go on and pushes are told to come again', async () => {
    const pulling = during(
      during(gc('--json'), () => calls.ask('POST', '/v2/team/other/blobs/uploads/', { as })),
      () => manifest('team/app', 'multi'),
    );
    const { done, answers } = await pulling;
    ({ done: ran, answers: writes } = done);
    reads = answers;
    expect(ran).toMatchObject({ exitCode: 0 });
    expect(new Set(reads.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(writes.map(({ status }) => status))).toEqual(new Set([202, 503]));
    const refused = writes.find(({ status }) => status === 503);
    expect(refused).toMatchObject({ codes: ['UNAVAILABLE'], headers: { 'retry-after': '10' } });
    expect(refused?.text).toMatch(/writes are closed/);
  });

  test('it says how much that was by df, and for how long writes were closed', () => {
    const { blobs, freed, damaged, seconds } = JSON.parse(ran.stdout);
    expect(freed).toBeGreaterThanOrEqual(large.length);
    expect(freed).toBeLessThan(large.length + 5 * MIB);
    expect(blobs).toHaveLength(7); // manifest, config and own layer of two images, one the proof's, and what was half pushed
    expect(damaged).toEqual([]);
    expect(seconds).toBeGreaterThan(0);
  });

  test('only that is gone; everything else is what it was, byte by byte', async () => {
    const after = await files();
    const gone = [...before.keys()].filter((path) => !after.has(path));
    for (const path of gone)
      expect(path).toMatch(/^blobs\/|^repositories\/(deep|moorage|team\/half|team\/abandoned)\//);
    for (const [path, digest] of before)
      if (after.has(path)) expect([path, after.get(path)]).toEqual([path, digest]);
    expect(await catalog()).toEqual(['team/app']);
    expect(await readdir(v2('repositories'))).toEqual(['team']);
    // Uploads that somebody began meanwhile are not abandoned.
    expect((await readdir(v2('repositories/team'))).sort()).toEqual(['app', 'live', 'other']);
  });

  test('the index, its images and what refers to it are pulled', async () => {
    const { status, text } = await manifest('team/app', 'multi');
    expect([status, digestOf(Buffer.from(text))]).toEqual([200, index.digest]);
    const all = [...JSON.parse(text).manifests, signature] as Pushed[];
    for (const { digest } of all) {
      const { layers, config } = JSON.parse((await manifest('team/app', digest)).text);
      for (const blob of [config, ...layers]) {
        const got = await calls.ask('GET', `/v2/team/app/blobs/${blob.digest}`, { as });
        expect(digestOf(Buffer.from(got.text))).toBe(blob.digest);
      }
    }
  });

  test('an upload that was on its way goes on, and what was collected can be pushed again', async () => {
    const content = 'first half, second half';
    const end = `${live}&digest=${digestOf(Buffer.from(content))}`;
    expect(await calls.ask('PUT', end, octets('second half'))).toMatchObject({ status: 201 });
    const again = await pusher.image('deep/down/old', 'v2', ['y'.repeat(MIB), 'shared']);
    expect((await manifest('deep/down/old', 'v2')).status).toBe(200);
    expect(again.digest).toMatch(/^sha256:/);
  });

  test('nothing of it lies about, and status is told', async () => {
    expect(await readdir(join(checkout.root, 'var/maintenance'))).toEqual([]);
    expect(await readdir(join(checkout.root, 'var/journal'))).toEqual([]);
    const users = JSON.parse((await checkout.command('user', ['list', '--json'])).stdout);
    expect(users.map(({ name }: { name: string }) => name)).toEqual(['admin']);
    const events = await readFile(join(checkout.root, 'var/events.jsonl'), 'utf8');
    expect(events).toMatch(
      /"by":"gc","kind":"done","text":"4\d MiB freed by df, 7 blobs; writes were closed for/,
    );
  });
});

test('an upload that is on its way may end, while no other begins', async () => {
  const location = await begin('team/slow');
  const content = Buffer.alloc(2 * MIB, 'slow');
  const { asked, answered } = patch(location, content.length);
  asked.write(content.subarray(0, MIB));
  const running = gc('--json');
  await expect.poll(async () => (await startOne()).status, SOON).toBe(503);
  asked.end(content.subarray(MIB));
  const { status, headers } = await answered;
  expect(status).toBe(202);
  const end = `${pathOf(headers.location)}&digest=${digestOf(content)}`;
  // nginx may have closed for all meanwhile; clients come again.
  await expect.poll(async () => (await calls.ask('PUT', end, octets(''))).status, SOON).toBe(201);
  expect(await running).toMatchObject({ exitCode: 0 });
  await pusher.image('team/slow', 'v1', [content.toString()]);
  expect((await manifest('team/slow', 'v1')).status).toBe(200);
});

test('one that takes too long is cut off, harms nothing, and is pushed again', async () => {
  const location = await begin('team/endless');
  const { asked, answered } = patch(location, 2 * MIB);
  asked.write(Buffer.alloc(MIB, 'a'));
  await expect
    .poll(async () => (await readdir(v2('repositories/team/endless/_uploads'))).length, SOON)
    .toBe(1);
  const cut = answered.then(
    ({ status }) => status,
    () => 'cut',
  );
  const { exitCode, stderr } = await gc('--wait', '1', '--json');
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 0,
    stderr: expect.stringMatching(/1 upload still on the way/),
  });
  asked.end(Buffer.alloc(MIB, 'b'));
  expect(await cut).not.toBe(202);
  await pusher.image('team/endless', 'v1', [`${'a'.repeat(MIB)}${'b'.repeat(MIB)}`]);
  expect((await manifest('team/endless', 'v1')).status).toBe(200);
});

test('--delete-untagged is refused with distribution 2, and nothing changes', async () => {
  const before = await files();
  const { exitCode, stderr } = await gc('--delete-untagged');
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(/distribution#3178/) });
  expect(await files()).toEqual(before);
});

test('a second one is refused while one is at work', async () => {
  const first = gc();
  await expect
    .poll(() => readdir(join(checkout.root, 'var/locks')).catch(() => []), SOON)
    .toContain('storage');
  const second = await gc();
  expect(second).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/npm run gc is running \(process/),
  });
  expect(await first).toMatchObject({ exitCode: 0 });
});

test('an image whose layer was lost is named, and that it was so before', async () => {
  await pusher.image('team/damaged', 'v1', ['a layer that will be lost']);
  const lost = digestOf(Buffer.from('a layer that will be lost'));
  await rm(blobFile(lost));
  const { exitCode, stdout, stderr } = await gc('--json');
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/team\/damaged:v1 \(sha256:[^)]+\): sha256:.* missing; it was so before/);
  expect(stderr).toMatch(/Push them again/);
  expect(JSON.parse(stdout).damaged).toMatchObject([
    { repository: 'team/damaged', tags: ['v1'], missing: [lost], wasBefore: true },
  ]);
  expect((await startOne()).status).toBe(202);
  await pusher.image('team/damaged', 'v1', ['a layer that will be lost']);
});

test('while the content of a manifest is lost nothing is collected: nobody knows its layers', async () => {
  const { digest } = await pusher.image('team/lost', 'v1', ['of the lost one']);
  await rename(blobFile(digest), join(disk, 'aside'));
  const before = await files();
  const { exitCode, stderr } = await gc();
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: expect.stringMatching(new RegExp(`team/lost@${digest}\n[^]*--despite-damage`)),
  });
  expect(await files()).toEqual(before);
  await rename(join(disk, 'aside'), blobFile(digest));
  expect(await gc()).toMatchObject({ exitCode: 0 });
});

test('AUTH=registry and a Redis of the stack: the same, and Redis remembers nothing that is gone', async () => {
  await checkout.init({ AUTH: 'registry', REDIS_URL: 'stack' });
  const content = 'remembered by Redis';
  const image = await pusher.image('team/redis', 'v1', [content]);
  const digest = digestOf(Buffer.from(content));
  expect((await calls.ask('HEAD', `/v2/team/redis/blobs/${digest}`, { as })).status).toBe(200);
  const keys = async () =>
    (await checkout.compose('exec', '-T', 'redis', 'redis-cli', '--scan', '--pattern', `*${digest}*`)).stdout;
  expect(await keys()).toContain(digest);
  await pusher.delete('team/redis', image);
  const { done, answers } = await during(gc('--json'), () => startOne());
  expect(done).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(done.stdout).blobs).toContain(digest);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202, 503]));
  expect(await keys()).toBe('');
  expect((await calls.ask('HEAD', `/v2/team/redis/blobs/${digest}`, { as })).status).toBe(404);
  await pusher.image('team/redis', 'v1', [content]);
  expect((await calls.ask('GET', `/v2/team/redis/blobs/${digest}`, { as })).text).toBe(content);
});

function twoDaysAgo(): [number, number] {
  const then = Date.now() / 1000 - TWO_DAYS;
  return [then, then];
}

function octets(body: string) {
  return { as, body, headers: { 'content-type': 'application/octet-stream' } };
}

function pathOf(location: unknown): string {
  const { pathname, search } = new URL(String(location), 'https://localhost');
  return `${pathname}${search}`;
}

/** Begins an upload; whoever may gives it up again. */
async function startOne(): Promise<Called> {
  const answer = await calls.ask('POST', '/v2/team/trying/blobs/uploads/', { as });
  if (answer.status === 202) await calls.ask('DELETE', pathOf(answer.headers.location), { as });
  return answer;
}

/** A PATCH whose body the test sends. */
function patch(path: string, length: number) {
  const asked = request({
    host: '127.0.0.1',
    port: checkout.env.HTTPS_PORT,
    method: 'PATCH',
    path,
    auth: as,
    rejectUnauthorized: false,
    headers: { 'content-type': 'application/octet-stream', 'content-length': length },
  });
  const answered = new Promise<{ status: number; headers: Record<string, unknown> }>((resolve, reject) => {
    asked.once('error', reject);
    asked.once('response', (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
    });
  });
  return { asked, answered };
}
