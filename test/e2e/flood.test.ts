import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MANIFEST_TYPE } from '../../src/registry/image.ts';
import { startAttack } from '../support/attack.ts';
import { Checkout, loginOf } from '../support/checkout.ts';
import { PullingClient } from '../support/pulling-client.ts';
import { RegistryCalls } from '../support/registry-calls.ts';

const REPOSITORY = 'team/large';
const LAYERS = 20;
const LAYER_BYTES = 8 * 1024;
const CLIENTS = 200;
const ATTACKERS = 50;
/** What somebody may be told who guesses: no, later, and not now. */
const REFUSALS = [401, 429, 503];
const SOON = { timeout: 60_000, interval: 50 };

let checkout: Checkout;
let calls: RegistryCalls;
let login: string;

beforeAll(async () => {
  checkout = await Checkout.make({ BEHIND_PROXY: 'true' }); // X-Forwarded-For says who is where
  login = loginOf(await checkout.init());
  calls = new RegistryCalls(checkout);
  await pushLarge();
});

afterAll(() => checkout.dispose());

test('names that there are not are refused like those that there are', async () => {
  const [known = ''] = login.split(':');
  const guess = async (name: string, address: string) => {
    const headers = { 'x-forwarded-for': address };
    const { status, headers: told, text } = await calls.ask('GET', '/v2/', { as: `${name}:wrong`, headers });
    const { date, ...rest } = told;
    return { status, headers: rest, text };
  };
  const refused = await guess(known, '203.0.113.1');
  expect(refused.status).toBe(401);
  expect(await guess('nobody', '203.0.113.2')).toEqual(refused);
  expect(await guess(known, '203.0.113.1'), 'a second time').toEqual(refused);
  expect(await guess('nobody', '203.0.113.2'), 'a second time').toEqual(refused);
});

test.each([
  ['from the same address', false],
  ['from an address each', true],
])('200 clients pull 20 layers while 50 guess %s: no pull fails, no guess is let in', async (_, spread) => {
  expect((await calls.ask('GET', '/v2/', { as: login })).status).toBe(200);
  const [known = ''] = login.split(':');
  const target = { scheme: 'https', host: '127.0.0.1', port: Number(checkout.env.HTTPS_PORT) } as const;
  const attack = startAttack(target, { count: ATTACKERS, names: [known], spread });
  const clients = Array.from({ length: CLIENTS }, () => new PullingClient(target.port, login));
  try {
    await expect.poll(() => attack.answers.get(429) ?? 0, SOON).toBeGreaterThan(0);
    const before = sum(attack.answers);
    const pulls = await Promise.allSettled(clients.map((client) => client.pull(REPOSITORY, 'latest')));
    expect(pulls.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(pulls[0]).toEqual({ status: 'fulfilled', value: 1 + LAYERS });
    await expect.poll(() => sum(attack.answers), SOON).toBeGreaterThan(before); // they went on guessing
  } finally {
    await attack.stop();
    for (const client of clients) client.close();
  }
  for (const status of attack.answers.keys()) expect(REFUSALS).toContain(status);
  expect(attack.failed).toEqual([]);
});

function sum(answers: ReadonlyMap<number, number>): number {
  return [...answers.values()].reduce((total, count) => total + count, 0);
}

async function pushLarge(): Promise<void> {
  const blobs = ['{}', ...Array.from({ length: LAYERS }, () => randomBytes(LAYER_BYTES / 2).toString('hex'))];
  const described = await Promise.all(
    blobs.map(async (content) => ({
      mediaType: 'application/octet-stream',
      digest: await calls.pushBlob(REPOSITORY, content, login),
      size: content.length,
    })),
  );
  const [config, ...layers] = described;
  const body = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config, layers });
  const headers = { 'content-type': MANIFEST_TYPE };
  const uri = `/v2/${REPOSITORY}/manifests/latest`;
  const { status, text } = await calls.ask('PUT', uri, { as: login, body, headers });
  if (status !== 201) throw new Error(`the manifest was answered with ${status}: ${text}`);
}
