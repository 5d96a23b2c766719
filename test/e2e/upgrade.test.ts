import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { digestOf } from '../../src/registry/digest.ts';
import { MANIFEST_TYPE } from '../../src/registry/image.ts';
import { readIfExists } from '../../src/system/files.ts';
import { ensureBuilt } from '../support/built-images.ts';
import { startOf } from '../support/checkout.ts';
import { GuardedStack } from '../support/guarded-stack.ts';
import { type Client, MovingClients } from '../support/moving-clients.ts';
import { PersistentPuller } from '../support/persistent-puller.ts';
import { StoredImages } from '../support/stored-image.ts';
import { UpgradeImages } from '../support/upgrade-images.ts';

const PARTS = ['registry', 'gate', 'nginx', 'renewer'];
const SOON = { timeout: 120_000, interval: 50 };

let images: UpgradeImages;
let stack: GuardedStack;
let stored: StoredImages;
/** What was pushed before anything was upgraded. */
let there: readonly string[];

beforeAll(async () => {
  for (const role of ['registry', 'nginx', 'node'] as const) await ensureBuilt(role);
  images = await UpgradeImages.make();
  // All images are chosen: nothing is looked up at Debian, and what other stacks share stays as it is.
  stack = await GuardedStack.open('users:\n  admin: [admin]\n', ['nobody'], {}, images.settings());
  stored = new StoredImages(stack);
  await stack.calls.pushImage('team/app', '1', stack.login('admin'));
  there = await pull();
});

afterAll(async () => {
  stored?.close();
  await stack?.checkout.dispose();
  await images?.dispose(stack.checkout.project);
});

const root = () => stack.checkout.root;
const env = () => readFile(join(root(), '.env'), 'utf8');
const upgrade = (...args: string[]) => stack.checkout.command('upgrade', args);

/** What runs: the ids of containers, and of their images, by part. */
async function running(): Promise<Record<string, { container: string; image: string }>> {
  const found = PARTS.map(async (part) => {
    const { stdout } = await stack.checkout.compose('ps', '-q', part);
    const { stdout: image } = await execa('docker', ['inspect', '-f', '{{.Image}}', stdout]);
    return [part, { container: stdout, image }];
  });
  return Object.fromEntries(await Promise.all(found));
}

/** The digests of the manifest and the config that come. */
async function pull(): Promise<readonly string[]> {
  const get = async (path: string) => {
    const { status, text } = await stack.calls.ask('GET', `/v2/team/app/${path}`, {
      as: stack.login('admin'),
      headers: { accept: MANIFEST_TYPE },
    });
    if (status !== 200) throw new Error(`${path} was answered with ${status}: ${text}`);
    return text;
  };
  const manifest = await get('manifests/1');
  const config = await get(`blobs/${JSON.parse(manifest).config.digest}`);
  return [manifest, config].map((text) => digestOf(Buffer.from(text)));
}

/** Whether somebody takes a connection. */
const answers = () =>
  stack.calls.ask('GET', '/v2/').then(
    () => true,
    () => false,
  );

const imagesOf = async () => Object.values(await running()).map(({ image }) => image);

test('where nothing is newer nothing is changed, and init-tls finds nothing to do either', async () => {
  const before = { runs: await running(), env: await env() };
  const { exitCode, stdout } = await upgrade('--json');
  expect([exitCode, JSON.parse(stdout).changed]).toEqual([0, false]);
  expect({ runs: await running(), env: await env() }).toEqual(before);
  expect((await stack.checkout.init()).changed).toBe(false);
});

test.each([
  [['--registry', 'Not/An Image']],
  [['--registry', 'registry:latest']],
  [['--registry', 'localhost:1/nowhere:1', '--yes']],
])('an image that is none, or can not be had, is refused before anything changes: %s', async (args) => {
  const before = { runs: await running(), env: await env() };
  const { exitCode, stderr } = await upgrade(...args);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('REGISTRY_IMAGE')]);
  expect({ runs: await running(), env: await env() }).toEqual(before);
  expect(await images.kept(stack.checkout.project)).toEqual([]);
});

test('without a terminal and without --yes it only says what it would do', async () => {
  await images.renew(['registry']);
  const before = await running();
  expect((await upgrade('--check')).stdout).toMatch(
    /registry +moorage-test-upgrade\/registry-\w+:1[\s\S]*another image/,
  );
  expect(await upgrade()).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') });
  expect(await running()).toEqual(before);
});

test('all parts are replaced: what is on its way arrives, and no pull fails', async () => {
  const before = await running();
  const clients = await MovingClients.make(stack, 'moved', { docker: 3 });
  const puller = PersistentPuller.start(stack, 'team/app', '1');
  try {
    await images.renew(['registry', 'nginx', 'node']);
    // Of a push whose manifest comes in just the second without nginx docker says so: its person waits, and repeats it.
    const moving = async ({ title, move }: Client) => {
      const first = await move();
      if (first.exitCode === 0 || !title.includes(' push ')) return { title, ...first };
      await expect.poll(answers, SOON).toBe(true);
      return { title, ...(await move()) };
    };
    const moved = Promise.all(clients.all.map(moving));
    await expect.poll(() => clients.inTheMiddle, SOON).toBe(true);
    const { exitCode, stderr } = await upgrade('--yes');
    expect([exitCode, stderr]).toEqual([0, expect.any(String)]);
    const after = await running();
    for (const part of PARTS) expect(after[part]?.image, part).not.toBe(before[part]?.image);
    expect((await moved).filter((each) => each.exitCode !== 0)).toEqual([]);
    const { pulled, failed } = await puller.stop();
    expect([pulled > 0, failed]).toEqual([true, []]);
    for (const { repository, config } of clients.all)
      expect(await stored.verified(repository, '1')).toBe(config);
  } finally {
    await puller.stop();
    await clients.dispose();
  }
  expect((await stack.checkout.init()).changed).toBe(false);
});

test('its backup is for its owner alone, as .env is; it is told as an event', async () => {
  const folder = join(root(), 'var/upgrade');
  const [name = ''] = (await readdir(folder)).sort().reverse();
  expect((await stat(join(folder, name))).mode & 0o777).toBe(0o700);
  const files = (await readdir(join(folder, name))).map((file) => join(folder, name, file));
  expect(files.map((file) => file.slice(folder.length + name.length + 2)).sort()).toEqual([
    'access.yaml',
    'env',
    'registry.password',
    'snapshot.json',
  ]);
  for (const file of [...files, join(root(), '.env')]) expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(join(root(), 'var/events.jsonl'), 'utf8')).toContain('"by":"upgrade","kind":"done"');
});

test('--undo goes back to what ran before, and again to what it came from', async () => {
  const before = await imagesOf();
  expect(await upgrade('--undo', '--yes')).toMatchObject({ exitCode: 0 });
  const undone = await imagesOf();
  expect(undone.filter((id) => before.includes(id))).toEqual([]);
  expect(await pull()).toEqual(there);
  expect(await upgrade('--undo', '--yes')).toMatchObject({ exitCode: 0 });
  expect(await imagesOf()).toEqual(before);
});

test('a registry that insists on what distribution 3 changed serves what distribution 2 stored', async () => {
  const three = await images.like('registry', '3.0.0', 'like-3');
  const asked = await upgrade('--yes', '--registry', three);
  expect(asked).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('another major version') });
  expect(await env()).toContain(`REGISTRY_IMAGE=${three}\n`);
  expect(await pull()).toEqual(there);
  expect(await upgrade('--undo', '--yes')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('goes back from 3.0.0'),
  });
  expect(await env()).not.toContain(three);
});

test.each([
  ['does not start', 'broken', /it ends as soon as it is started[\s\S]*no such registry/],
  ['starts, and has lost the images', 'empty', /Images that were there before do not come back/],
])('of a registry that %s all is taken back', async (_, kind, message) => {
  const before = { images: await imagesOf(), env: await env() };
  const wrong = await images.like('registry', '2.8.9', kind);
  const { exitCode, stderr } = await upgrade('--yes', '--registry', wrong);
  expect([exitCode, stderr]).toEqual([1, expect.stringMatching(message)]);
  expect({ images: await imagesOf(), env: await env() }).toEqual(before);
  expect(await pull()).toEqual(there);
  expect(await upgrade('--dry-run')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('nothing to do'),
  });
});

test('an image that a person has put into .env, and that does not start, is taken out again', async () => {
  const before = await imagesOf();
  const wrong = await images.like('nginx', '1.26', 'broken');
  const good = await env();
  await writeFile(join(root(), '.env'), good.replace(/^NGINX_IMAGE=.*/m, `NGINX_IMAGE=${wrong}`));
  const { exitCode, stdout } = await upgrade('--yes');
  expect([exitCode, stdout]).toEqual([1, expect.stringContaining('set back in .env: NGINX_IMAGE')]);
  expect({ images: await imagesOf(), env: await env() }).toEqual({ images: before, env: good });
});

test.each([
  ['images', 'forgotten'],
  ['registry', 'finished'],
  ['verify', 'finished'],
  ['tidy', 'one generation is kept'],
])('killed at the step %s the next run puts it right', async (step, words) => {
  const before = await imagesOf();
  await images.renew(['registry']);
  expect(await killedAt(step, '--yes')).toBe(true);
  const { exitCode, stdout, stderr } = await upgrade('--yes');
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout).toContain(`An upgrade was interrupted (at ${step}).`);
  expect(stdout + (await events())).toContain(words);
  expect((await upgrade('--dry-run')).stdout).toContain('nothing to do');
  expect((await imagesOf()).filter((id) => !before.includes(id))).toHaveLength(1);
  expect(await pull()).toEqual(there);
});

test('killed while it goes back, the next run goes back', async () => {
  const before = { images: await imagesOf(), env: await env() };
  const wrong = await images.like('registry', '2.8.9', 'broken');
  expect(await killedAt('back', '--yes', '--registry', wrong)).toBe(true);
  expect(await upgrade('--yes')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('done now') });
  expect({ images: await imagesOf(), env: await env() }).toEqual(before);
  expect((await upgrade('--dry-run')).stdout).toContain('nothing to do');
});

const events = () => readFile(join(root(), 'var/events.jsonl'), 'utf8');

/** Kills an upgrade as soon as its journal says that it is at a step. Whether it was seen there. */
async function killedAt(step: string, ...args: string[]): Promise<boolean> {
  const child = execa('node', startOf('upgrade', ...args), {
    cwd: root(),
    env: stack.checkout.env,
    reject: false,
  });
  const journal = join(root(), 'var/journal/upgrade.json');
  const seen = vi.waitUntil(async () => JSON.parse((await readIfExists(journal)) ?? '{}').step === step, {
    timeout: 120_000,
    interval: 2,
  });
  const found = await Promise.race([seen, child.then(() => false)]);
  child.kill('SIGKILL');
  await child;
  return found;
}
