import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Checkout, loginOf } from '../support/checkout.ts';
import { RegistryCalls } from '../support/registry-calls.ts';
import { type S3Server, startS3 } from '../support/s3.ts';

const DAY = 86_400_000;
const SOON = { timeout: 60_000, interval: 200 };

let s3: S3Server;
let checkout: Checkout;
let calls: RegistryCalls;
let as: string;

beforeAll(async () => {
  s3 = await startS3();
  checkout = await Checkout.make({ ...s3.settings });
  as = loginOf(await checkout.init());
  calls = new RegistryCalls(checkout);
  for (const tag of ['v1', 'dev', 'test']) await calls.pushImage('team/app', tag, as);
});

afterAll(async () => {
  await checkout?.dispose();
  await s3?.dispose();
});

const tags = async (): Promise<string[]> =>
  (JSON.parse((await calls.ask('GET', '/v2/team/app/tags/list', { as })).text).tags ?? []).toSorted();
const prune = async (...args: string[]) => {
  const { exitCode, stdout, stderr } = await checkout.command('prune', args);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout;
};

test('in a bucket tags go, and come back', async () => {
  expect(await prune('--keep', 'v*', '--yes')).toContain('2 tags removed.');
  expect(await tags()).toEqual(['v1']);
  expect(await prune('--undo')).toMatch(/dev is back[\s\S]*test is back/);
  expect(await tags()).toEqual(['dev', 'test', 'v1']);
});

test('the daemon removes them there as well', async () => {
  await writeFile(
    join(checkout.root, 'retention.yaml'),
    "rules:\n  - { repo: 'team/*', keep: ['v*', dev] }\n",
  );
  await checkout.init();
  const state = join(checkout.root, 'var/retention.json');
  await writeFile(state, JSON.stringify({ last: new Date(Date.now() - 2 * DAY) }));
  await checkout.compose('restart', '--timeout', '1', 'renewer');
  await expect.poll(tags, SOON).toEqual(['dev', 'v1']);
  const events = () => readFile(join(checkout.root, 'var/events.jsonl'), 'utf8').catch(() => '');
  await expect.poll(events, SOON).toContain('1 tag removed by retention.yaml');
});
