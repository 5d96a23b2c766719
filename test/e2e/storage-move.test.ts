import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Step } from '../../src/relocation/begun.ts';
import { writeOwn } from '../../src/settings/env-file.ts';
import { OLD_MARK } from '../../src/storage/old-places.ts';
import { GuardedStack } from '../support/guarded-stack.ts';
import { killAt } from '../support/killed-command.ts';
import { mountSmallDisk } from '../support/mounts.ts';
import { PersistentPuller } from '../support/persistent-puller.ts';
import { ImagePusher } from '../support/pushed-images.ts';
import { TirelessPusher } from '../support/tireless-pusher.ts';

const IMAGES = 'docker/registry/v2/repositories/team/app';

let stack: GuardedStack;
let disks: string;
let home: string;

beforeAll(async () => {
  disks = await mkdtemp(join(tmpdir(), 'moorage-disks-'));
  stack = await GuardedStack.open('users:\n  admin: [admin:**]\n  reader: []\n', ['reader']);
  home = join(stack.checkout.root, 'registry/data');
  const pusher = new ImagePusher(stack.calls, stack.login('admin'));
  for (const tag of ['one', 'two', 'three'])
    await pusher.image('team/app', tag, [`layer of ${tag}`, 'x'.repeat(3_000_000)]);
});

afterAll(async () => {
  await stack?.checkout.dispose();
  await rm(disks, { recursive: true, force: true });
});

const storage = (...args: string[]) => stack.checkout.command('storage', args);
const envLine = async () =>
  /^REGISTRY_DATA_DIR=.*$/m.exec(await readFile(join(stack.checkout.root, '.env'), 'utf8'))?.[0];

async function renewerSees(): Promise<string> {
  const renewer = (await stack.checkout.compose('ps', '--quiet', 'renewer')).stdout;
  const format = '{{range .Mounts}}{{.Source}}:{{end}}';
  return (await stack.checkout.run('docker', ['inspect', '--format', format, renewer])).stdout;
}

async function expectServed(tags: readonly string[]): Promise<void> {
  const as = stack.login('admin');
  for (const tag of tags) {
    const { status, text } = await stack.calls.manifest('team/app', tag, as);
    expect({ tag, status }).toEqual({ tag, status: 200 });
    const { config } = JSON.parse(text);
    expect((await stack.calls.ask('GET', `/v2/team/app/blobs/${config.digest}`, { as })).status).toBe(200);
  }
}

/** Whoever goes by the settings now would look at a folder that the registry may not have, or start it there. */
async function expectRefused(reason: RegExp): Promise<void> {
  for (const [name, ...args] of [['gc'], ['upgrade', '--yes']] as const) {
    const { exitCode, stderr } = await stack.checkout.command(name, args);
    expect({ name, exitCode, stderr }).toEqual({ name, exitCode: 1, stderr: expect.stringMatching(reason) });
  }
}

test('while images are moved nobody who pulls notices, and nothing is lost that a push was told is there', async () => {
  const target = join(disks, 'first place');
  const puller = PersistentPuller.start(stack, 'team/app', 'one');
  const pusher = TirelessPusher.start(stack, 'team/app');
  await expect.poll(() => pusher.accepted.length).toBeGreaterThan(2);
  const { exitCode, stdout, stderr } = await storage('move', target, '--json');
  const { failed, pulled } = await puller.stop();
  const { accepted, refused } = await pusher.stop();
  expect({ exitCode, stderr, failed }).toMatchObject({ exitCode: 0, failed: [] });
  expect(pulled).toBeGreaterThan(10);
  expect(JSON.parse(stdout)).toMatchObject({
    changed: true,
    to: target,
    damaged: [],
    refused: expect.any(Number),
  });
  expect(refused.length).toBeGreaterThan(0);
  await expectServed(['one', 'two', 'three', ...accepted]);
  expect(await envLine()).toBe(`REGISTRY_DATA_DIR=${target}`);
  expect(existsSync(join(target, IMAGES))).toBe(true);
});

test('a second time nothing is moved, and a renewer that a kill has left on the old place follows', async () => {
  const target = join(disks, 'first place');
  await stack.checkout.run('docker', ['compose', 'up', '--detach', 'renewer'], {
    env: { REGISTRY_DATA_DIR: home },
  });
  expect(await renewerSees()).toContain(`${home}:`);
  expect((await storage('move', target)).stdout).toMatch(/are in .* already[\s\S]*✓ Renewer/);
  expect(await renewerSees()).not.toContain(`${home}:`);
  expect((await storage('move', target)).stdout).toMatch(/= Renewer/);
});

test('the old place stays as it was, says what it is, and is dropped when told', async () => {
  const { stdout } = await stack.checkout.command('status', ['--json']);
  expect(JSON.parse(stdout).oldPlaces).toMatchObject([{ folder: home, bytes: expect.any(Number) }]);
  expect(existsSync(join(home, IMAGES))).toBe(true);
  expect(await readFile(join(home, OLD_MARK), 'utf8')).toMatch(/drop-old/);
  await writeFile(join(home, 'somebody’s file'), '');
  expect(await storage('drop-old')).toMatchObject({ exitCode: 2 });
  expect(await storage('drop-old', '--yes')).toMatchObject({ exitCode: 0 });
  expect((await readdir(home)).sort()).toEqual(['.gitkeep', 'somebody’s file']);
  expect((await storage('drop-old', '--yes')).stdout).toMatch(/There is no old place/);
  await rm(join(home, 'somebody’s file'));
  await expectServed(['one']);
});

test('refused with the reason, and nothing changes: a disk that is too small, folders in each other, images of others', async () => {
  const before = await envLine();
  const small = join(disks, 'small');
  await mkdir(small);
  const mounted = await mountSmallDisk(small, 2_000);
  const refusals = await Promise.resolve([
    await storage('move', small),
    await storage('move', join(disks, 'first place/inside')),
    await storage('move', disks),
  ]).finally(mounted.unmount);
  const others = join(disks, 'others');
  await mkdir(join(others, IMAGES), { recursive: true });
  expect([...refusals, await storage('move', others)]).toMatchObject([
    { exitCode: 1, stderr: expect.stringMatching(/have to go to .*small/) },
    { exitCode: 2, stderr: expect.stringMatching(/are in each other/) },
    { exitCode: 2, stderr: expect.stringMatching(/are in each other/) },
    { exitCode: 1, stderr: expect.stringMatching(/There are images in .*others already/) },
  ]);
  expect(await envLine()).toBe(before);
  await expectServed(['one']);
});

test('a folder written into .env by hand: init-tls brings the images along', async () => {
  const target = join(disks, 'by hand');
  await writeOwn(join(stack.checkout.root, '.env'), { REGISTRY_DATA_DIR: target });
  await expectRefused(/the images are still in/);
  const { steps } = await stack.checkout.init();
  expect(steps.map(({ title }) => title)).toContain('Compared');
  await expectServed(['one', 'two', 'three']);
  expect(existsSync(join(target, IMAGES))).toBe(true);
  expect(await stack.checkout.init()).toMatchObject({ changed: false });
  expect(await storage('drop-old', '--yes')).toMatchObject({ exitCode: 0 });
});

/** Where a kill leaves the registry, and what the next run makes of it. */
test.each<[Step, string]>([
  ['compare', 'the old place'],
  ['switch', 'one of them'],
  ['leave', 'the new place'],
])('killed at the step %s %s serves, and the next run brings it to its end', async (step) => {
  const target = join(disks, `killed at ${step}`);
  expect(await killAt(stack.checkout, { name: 'storage', args: ['move', target] }, step)).toBe(true);
  await expectServed(['one', 'two', 'three']);
  const { exitCode, stdout, stderr } = await storage('move');
  expect({ exitCode, stderr, stdout }).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/was interrupted/),
  });
  expect(await envLine()).toBe(`REGISTRY_DATA_DIR=${target}`);
  await expectServed(['one', 'two', 'three']);
  await stack.calls.pushImage('team/app', `after ${step}`.replace(' ', '-'), stack.login('admin'));
  expect(await storage('drop-old', '--yes')).toMatchObject({ exitCode: 0 });
});

test('a move that was killed is given up: its copy goes, and nothing else', async () => {
  const before = await envLine();
  const target = join(disks, 'given up');
  expect(await killAt(stack.checkout, { name: 'storage', args: ['move', target] }, 'drain')).toBe(true);
  expect(await storage('move', join(disks, 'elsewhere'))).toMatchObject({ exitCode: 1 });
  await expectRefused(/npm run storage -- move/);
  expect(await storage('cancel')).toMatchObject({ exitCode: 0 });
  expect(await readdir(target)).toEqual([]);
  expect(await envLine()).toBe(before);
  await expectServed(['one']);
});

test('a stack that is paused is not at rest: it is left alone, and goes on with its place', async () => {
  const before = await envLine();
  expect(await stack.checkout.compose('pause')).toMatchObject({ exitCode: 0 });
  const { exitCode, stderr } = await storage('move', join(disks, 'paused'));
  expect(await stack.checkout.compose('unpause')).toMatchObject({ exitCode: 0 });
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/compose unpause/),
  });
  expect(await envLine()).toBe(before);
});

test('a stack that was stopped, moved and started again serves the new place: nothing can be pushed to the old one', async () => {
  const target = join(disks, 'at rest');
  expect(await stack.checkout.compose('stop')).toMatchObject({ exitCode: 0 });
  expect(await storage('move', target)).toMatchObject({ exitCode: 0 });
  expect((await stack.checkout.compose('ps', '--quiet', '--status', 'running')).stdout).toBe('');
  expect(await stack.checkout.compose('start')).toMatchObject({ exitCode: 0 });
  const push = () =>
    stack.calls.pushImage('team/app', 'after-rest', stack.login('admin')).catch(() => undefined);
  await expect.poll(async () => (await push())?.status, { timeout: 60_000 }).toBe(201);
  expect(existsSync(join(target, IMAGES, '_manifests/tags/after-rest'))).toBe(true);
  await expectServed(['one', 'after-rest']);
});
