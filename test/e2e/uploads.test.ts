import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Checkout, loginOf } from '../support/checkout.ts';
import { RegistryCalls } from '../support/registry-calls.ts';
import { type S3Server, startS3 } from '../support/s3.ts';

const UPLOADS = 'docker/registry/v2/repositories/team/app/_uploads';
const OLD = new Date(Date.now() - 8 * 24 * 3_600_000).toISOString();

/**
 * distribution waits for up to an hour of its own choice, in whole minutes, before it looks for old uploads. So it is
 * started again and again until its choice is no wait at all.
 */
const UNTIL_IT_BEGINS = `
while :; do
    sh /etc/moorage/start.sh >/run/registry/log 2>&1 & pid=$!
    until grep -q 'Starting upload purge' /run/registry/log; do sleep 0.05; done
    if grep -q 'Starting upload purge in 0s' /run/registry/log; then break; fi
    kill -9 $pid; wait $pid
done
until [ "$(grep -c 'Starting upload purge' /run/registry/log)" -ge 2 ]; do sleep 0.1; done
cat /run/registry/log
kill -9 $pid`;

let checkout: Checkout;
let calls: RegistryCalls;
let login: string;
let s3: S3Server | undefined;

beforeAll(async () => {
  checkout = await Checkout.make();
  calls = new RegistryCalls(checkout);
  login = loginOf(await checkout.init());
});

afterAll(async () => {
  await checkout?.dispose();
  await s3?.dispose();
});

/** Begins an upload, sends some of it and leaves it. Answers its id. */
async function abandonUpload(): Promise<string> {
  const { headers } = await calls.ask('POST', '/v2/team/app/blobs/uploads/', { as: login });
  const { pathname, search } = new URL(String(headers.location), 'https://localhost');
  const { status } = await calls.ask('PATCH', `${pathname}${search}`, { as: login, body: 'the first half' });
  expect(status).toBe(202);
  return pathname.slice(pathname.lastIndexOf('/') + 1);
}

async function purge(): Promise<string> {
  await checkout.compose('stop', '--timeout', '1', 'registry');
  const { stdout, stderr } = await checkout.compose(
    ...['run', '--rm', '--no-TTY', '--env', 'REGISTRY_LOG_LEVEL=info', '--entrypoint', 'sh'],
    ...['registry', '-c', UNTIL_IT_BEGINS],
  );
  await checkout.compose('start', 'registry');
  return stdout + stderr;
}

test('an abandoned upload of more than a week is taken away, a younger one is not', async () => {
  const [old, young] = [await abandonUpload(), await abandonUpload()];
  const folder = join(checkout.root, 'registry/data', UPLOADS);
  expect((await readdir(folder)).sort()).toEqual([old, young].sort());
  await writeFile(join(folder, old, 'startedat'), OLD);
  const log = await purge();
  expect({ log, left: await readdir(folder) }).toMatchObject({ left: [young] });
});

test('the same in a bucket', async () => {
  s3 = await startS3();
  const { ask, bucket } = s3;
  await checkout.init(s3.settings);
  const [old, young] = [await abandonUpload(), await abandonUpload()];
  const prefix = `${bucket.rootDirectory}/${UPLOADS}/`;
  await ask('PUT', `${prefix}${old}/startedat`, { body: OLD });
  const log = await purge();
  const { body } = await ask('GET', '', { query: { 'list-type': '2', prefix } });
  expect({ log, body }).toMatchObject({ body: expect.not.stringContaining(old) });
  expect(body).toContain(young);
});
