import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestOf } from '../../src/registry/digest.ts';
import { Checkout, loginOf } from '../support/checkout.ts';
import { ImagePusher } from '../support/pushed-images.ts';
import { RegistryCalls } from '../support/registry-calls.ts';
import { type S3Server, startS3 } from '../support/s3.ts';

const KiB = 1024;

let s3: S3Server;
let checkout: Checkout;
let calls: RegistryCalls;
let pusher: ImagePusher;
let as: string;

beforeAll(async () => {
  s3 = await startS3();
  checkout = await Checkout.make(s3.settings);
  as = loginOf(await checkout.init());
  calls = new RegistryCalls(checkout);
  pusher = new ImagePusher(calls, as);
});

afterAll(async () => {
  await checkout?.dispose();
  await s3?.dispose();
});

const keys = async () =>
  [
    ...(
      await s3.ask('GET', '', { query: { 'list-type': '2', prefix: s3.bucket.rootDirectory } })
    ).body.matchAll(/<Key>([^<]*)/g),
  ]
    .map(([, key = '']) => key.slice(`${s3.bucket.rootDirectory}/docker/registry/v2/`.length))
    .sort();

test('in a bucket too: unused blobs, empty repositories and what is left of uploads go, images stay', async () => {
  const large = 'x'.repeat(300 * KiB);
  const images = [
    await pusher.image('team/app', undefined, ['shared', 'for amd64']),
    await pusher.image('team/app', undefined, ['shared', 'for arm64']),
  ];
  await pusher.index('team/app', 'multi', images);
  await pusher.delete('team/old', await pusher.image('team/old', 'v1', [large, 'shared']));
  const before = await keys();
  const { exitCode, stdout, stderr } = await checkout.command('gc', ['--json']);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  const { blobs, bytes, damaged } = JSON.parse(stdout);
  expect(blobs).toContain(digestOf(Buffer.from(large)));
  expect(bytes).toBeGreaterThan(large.length);
  expect(damaged).toEqual([]);
  const after = await keys();
  expect(before.filter((key) => key.startsWith('repositories/team/app/'))).toEqual(
    after.filter((key) => key.startsWith('repositories/')),
  );
  const { status } = await calls.manifest('team/app', 'multi', as);
  expect(status).toBe(200);
  await pusher.image('team/old', 'v1', [large, 'shared']);
});

test('a bucket without a repository is collected too', async () => {
  const { text } = await calls.manifest('team/app', 'multi', as);
  for (const each of JSON.parse(text).manifests) await pusher.delete('team/app', each);
  await pusher.delete('team/app', { digest: digestOf(Buffer.from(text)) });
  const old = await calls.manifest('team/old', 'v1', as);
  await pusher.delete('team/old', { digest: digestOf(Buffer.from(old.text)) });
  expect(await checkout.command('gc')).toMatchObject({ exitCode: 0 });
  expect(await keys()).toEqual([]);
  expect(await checkout.command('gc')).toMatchObject({ exitCode: 0 });
});
