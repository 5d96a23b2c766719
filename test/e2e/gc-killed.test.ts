import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Step } from '../../src/collection/parts.ts';
import { digestOf } from '../../src/registry/digest.ts';
import { Checkout, loginOf } from '../support/checkout.ts';
import { killGcAt } from '../support/gc-process.ts';
import { ImagePusher } from '../support/pushed-images.ts';
import { RegistryCalls } from '../support/registry-calls.ts';

const SOON = { timeout: 120_000, interval: 100 };
const KEPT = 'a layer that an image needs';

let checkout: Checkout;
let calls: RegistryCalls;
let pusher: ImagePusher;
let as: string;

beforeAll(async () => {
  checkout = await Checkout.make();
  as = loginOf(await checkout.init());
  calls = new RegistryCalls(checkout);
  pusher = new ImagePusher(calls, as);
  const child = await pusher.image('team/app', undefined, [KEPT]);
  await pusher.index('team/app', 'kept', [child]);
});

afterAll(() => checkout?.dispose());

/** An image that is there no more: something to collect. */
async function discard(content: string): Promise<void> {
  await pusher.delete('team/old', await pusher.image('team/old', 'old', [content, KEPT]));
}

const stored = (content: string) => {
  const hex = digestOf(Buffer.from(content)).slice('sha256:'.length);
  const file = `registry/data/docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`;
  return existsSync(join(checkout.root, file));
};

async function expectPulled(): Promise<void> {
  const { text } = await calls.manifest('team/app', 'kept', as);
  const [child] = JSON.parse(text).manifests;
  const image = await calls.manifest('team/app', child.digest, as);
  const [layer] = JSON.parse(image.text).layers;
  expect((await calls.ask('GET', `/v2/team/app/blobs/${layer.digest}`, { as })).text).toBe(KEPT);
}

test.each<Step>(['drain', 'close', 'quieten', 'collect', 'wake', 'verify'])(
  'killed at the step %s, pulls go on, the next run finishes it, and pushes are taken',
  async (step) => {
    await discard(`discarded before ${step}`);
    expect(await killGcAt(checkout, step)).toBe(true);
    await expectPulled();
    const { exitCode, stdout } = await checkout.command('gc');
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/Before .*was cut off/),
    });
    expect(stored(`discarded before ${step}`)).toBe(false);
    await expectPulled();
    await pusher.image('team/new', step, [`pushed after ${step}`]);
  },
);

test('a second kill in the run that finishes the first changes nothing of that', async () => {
  await discard('discarded before two kills');
  expect(await killGcAt(checkout, 'collect')).toBe(true);
  expect(await killGcAt(checkout, 'quieten')).toBe(true);
  expect(await checkout.command('gc')).toMatchObject({ exitCode: 0 });
  expect(stored('discarded before two kills')).toBe(false);
  await pusher.image('team/new', 'twice', ['pushed after two kills']);
});

test('Ctrl-C opens writes before it ends', async () => {
  expect(await killGcAt(checkout, 'verify', 'SIGINT')).toBe(true);
  expect(existsSync(join(checkout.root, 'var/maintenance/gc.lease'))).toBe(false);
  const push = () => pusher.image('team/new', 'ctrl-c', ['pushed after Ctrl-C']).then(() => 'pushed', String);
  await expect.poll(push, SOON).toBe('pushed');
});

test('without a next run writes are open by themselves, the registry is as before, and the daemon clears up', async () => {
  await discard('discarded before nobody came');
  expect(await killGcAt(checkout, 'collect')).toBe(true);
  const start = () => calls.ask('POST', '/v2/team/new/blobs/uploads/', { as });
  expect((await start()).status).toBe(503);
  await expect.poll(async () => (await start()).status, SOON).toBe(202);
  // The registry ends its quiet in the same second: what comes in between is told so, and comes again.
  const push = () =>
    pusher.image('team/new', 'alone', ['pushed without a next run']).then(() => 'pushed', String);
  await expect.poll(push, SOON).toBe('pushed');
  await expectPulled();
  // What was collected is known to nobody: it is uploaded anew.
  await pusher.image('team/old', 'again', ['discarded before nobody came', KEPT]);
  await checkout.compose('restart', 'renewer');
  await expect.poll(() => existsSync(join(checkout.root, 'var/journal/gc.json')), SOON).toBe(false);
  const { stdout } = await checkout.compose('logs', '--no-log-prefix', 'renewer');
  expect(stdout).toMatch(/a collection of .* was cut off at the step “collect”/);
});
