import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../support/checkout.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { startLocalPebble } from '../support/local-pebble.ts';
import { MovingRegistry, NAME } from '../support/moving-registry.ts';
import type { Pebble } from '../support/pebble.ts';
import { type S3Server, startS3 } from '../support/s3.ts';

const UPLOAD = 'POST /v2/team/app/blobs/uploads/';
const MANIFEST = 'GET /v2/team/app/manifests/1.0';

let s3: S3Server;
let pebble: Pebble;
let ca: FaultProxy;
let moving: MovingRegistry;
let serving: Readonly<Record<string, string>>;

/** What a registry has elsewhere goes with it: images in a bucket, a certificate of a CA that looks at the name. */
beforeAll(async () => {
  const httpPort = await freePort();
  s3 = await startS3();
  pebble = await startLocalPebble({ httpPort });
  await pebble.setAddress(NAME, s3.host);
  ca = await FaultProxy.start(pebble, { host: s3.host });
  moving = await MovingRegistry.open({
    ...s3.settings,
    HTTP_PORT: String(httpPort),
    AUTH: 'registry',
    TLS_ISSUER: 'acme',
    EMAIL: 'admin@moorage.example',
    ACME_DIRECTORY: ca.directory,
    ACME_CA_BUNDLE: ca.trust,
  });
  const { status, digest } = await moving.calls.pushImage('team/app', '1.0', moving.login);
  expect(status).toBe(201);
  serving = { [UPLOAD]: '202', [MANIFEST]: `200 ${digest}` };
});

afterAll(async () => {
  await moving?.dispose();
  await ca?.close();
  await pebble?.dispose();
  await s3?.dispose();
});

const renewThere = () =>
  moving.fresh.run(['npm', 'run', '--silent', 'renew', '--', '--force'], '/srv/moorage');
const statusOfPush = async () =>
  (await moving.calls.ask('POST', '/v2/team/app/blobs/uploads/', { as: moving.login })).status;

test('another bucket is refused before anything was changed', async () => {
  const { exitCode, stderr } = await moving.moveTo(
    moving.fresh.login,
    '--yes',
    '--set',
    'S3_ROOT_DIRECTORY=elsewhere',
  );
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('a move does not copy them'),
  });
  expect(await statusOfPush()).toBe(202);
});

test('killed on both machines while it is started there, it goes on, and no CA is asked', async () => {
  expect(await moving.moveUntil('Stack', moving.fresh.login, '--yes')).toBe(true);
  await moving.killThere('init-tls');
  expect(await statusOfPush()).toBe(503);
  const { exitCode, stderr } = await moving.moveTo();
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(await moving.askFresh(UPLOAD, MANIFEST)).toEqual(serving);
  expect(await statusOfPush()).toBe(503);
  expect(ca.seen('finalize')).toHaveLength(1);
});

test('while the name leads to the old one, that one can renew and the new one can’t, and it is not stopped', async () => {
  const there = await renewThere();
  expect(there).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('Check that the name leads to this machine'),
  });
  expect((await moving.old.command('renew', ['--force'])).exitCode).toBe(0);
  const { exitCode, stderr } = await moving.moveTo('--finish', '--yes');
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: expect.stringContaining('still leads to this machine'),
  });
});

test('once the name leads to the new one, that one renews by the account that came along', async () => {
  await moving.lead(moving.fresh.address);
  await pebble.setAddress(NAME, moving.fresh.address);
  expect(await renewThere()).toMatchObject({ exitCode: 0 });
  expect(ca.seen('newAccount')).toHaveLength(1);
  expect(new Set(ca.seen('finalize').map(({ account }) => account)).size).toBe(1);
});

test('then the old one is stopped for good, and goes, and the bucket stays with the new one', async () => {
  const { exitCode, stdout } = await moving.moveTo('--finish', '--yes');
  expect({ exitCode, stdout }).toEqual({
    exitCode: 0,
    stdout: expect.stringMatching(
      /leads to root@.*in their bucket, which root@.* uses.*--purge moving\.test/s,
    ),
  });
  const gone = await moving.old.command('uninstall', ['--purge', NAME, '--yes']);
  expect(gone).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/bucket images: the registry on root@/),
  });
  expect(await moving.askFresh(UPLOAD, MANIFEST)).toEqual(serving);
});
