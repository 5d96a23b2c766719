import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Checkout } from '../support/checkout.ts';
import { type Cloudflare, startCloudflare } from '../support/cloudflare.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { makeNetwork, type Pebble, startPebble } from '../support/pebble.ts';

const NAME = 'registry.inside.example';
const RECORD = `_acme-challenge.${NAME}`;
const TOKEN = 'Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY';

let checkout: Checkout;
let pebble: Pebble;
let ca: FaultProxy;
let cloudflare: Cloudflare;
/** Every set of values that the record had. */
const history: string[][] = [];

beforeAll(async () => {
  checkout = await Checkout.make({ DOMAIN: NAME, TLS_ISSUER: 'acme', ACME_CHALLENGE: 'dns-01' });
  const { gateway } = await makeNetwork(checkout);
  pebble = await startPebble(checkout, { name: 'pebble' });
  ca = await FaultProxy.start(pebble, { host: gateway });
  // The hook finds the test's CA by a path that is the same on the host and in the renewer: relative to the checkout.
  await mkdir(join(checkout.root, 'var/test'), { recursive: true });
  const tls = await pebble.ca.issue(join(checkout.root, 'var/test/cloudflare'), [gateway]);
  await copyFile(pebble.trust, join(checkout.root, 'var/test/trust.pem'));
  cloudflare = await startCloudflare({
    tls,
    token: TOKEN,
    host: gateway,
    zones: [{ id: '1', name: 'inside.example', status: 'active', name_servers: [], editable: true }],
    publish: async (name, values) => {
      history.push([...values]);
      await pebble.clearTxt(name);
      for (const value of values) await pebble.setTxt(name, value);
    },
  });
  const envFile = join(checkout.root, 'dns.env');
  const credentials = {
    CLOUDFLARE_API_TOKEN: TOKEN,
    CLOUDFLARE_API: cloudflare.api,
    CLOUDFLARE_DNS: pebble.dns,
    NODE_EXTRA_CA_CERTS: 'var/test/trust.pem',
  };
  const lines = Object.entries(credentials).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(envFile, lines.join(''), { mode: 0o600 });
  Object.assign(checkout.env, {
    ACME_DIRECTORY: ca.directory,
    ACME_CA_BUNDLE: ca.trust,
    ACME_DNS_HOOK: join(checkout.root, 'dns-hooks/cloudflare.mjs'),
    ACME_DNS_HOOK_ENV: envFile,
  });
});

afterAll(async () => {
  cloudflare.dispose();
  await ca.close();
  await pebble.dispose();
  await checkout.dispose();
});

test('a certificate for a name that no CA can reach, by a TXT record at Cloudflare', async () => {
  const { certificate } = await checkout.init();
  expect(certificate).toMatchObject({ issuer: 'acme', names: [NAME] });
  expect(history[0]).toEqual([expect.stringMatching(/^[\w-]{43}$/)]);
});

test('the record is gone afterwards', async () => {
  expect(cloudflare.records('inside.example')).toEqual([]);
  await expect(pebble.txt(RECORD)).rejects.toThrow('ENODATA');
});

test('the renewer does the same inside its container', async () => {
  const chain = await readFile(join(checkout.root, 'var/tls/current/fullchain.pem'), 'utf8');
  const [start, end] = [new Date(Date.now() - 7_200_000), new Date(Date.now() - 3_600_000)];
  await pebble.setRenewalWindow(chain, { start, end });
  await writeFile(join(checkout.root, 'var/renewal.json'), '{}');
  await checkout.compose('restart', 'renewer');
  const current = () => readFile(join(checkout.root, 'var/tls/current/fullchain.pem'), 'utf8');
  await expect.poll(current, { timeout: 60_000, interval: 200 }).not.toBe(chain);
  expect(cloudflare.records('inside.example')).toEqual([]);
});

test('a hook that fails is told with its words and without its token, and the certificate stays', async () => {
  const before = await readFile(join(checkout.root, 'var/tls/current/fullchain.pem'), 'utf8');
  const wrong = join(checkout.root, 'wrong.env');
  await writeFile(
    wrong,
    `CLOUDFLARE_API_TOKEN=${'x'.repeat(40)}\nCLOUDFLARE_API=${cloudflare.api}\nNODE_EXTRA_CA_CERTS=var/test/trust.pem\n`,
    {
      mode: 0o600,
    },
  );
  const { exitCode, stderr } = await checkout.command('renew', ['--force'], {
    env: { ACME_DNS_HOOK_ENV: wrong },
  });
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('Invalid access token (code 9109)'),
  });
  expect(stderr).not.toContain('x'.repeat(40));
  expect(await readFile(join(checkout.root, 'var/tls/current/fullchain.pem'), 'utf8')).toBe(before);
});
