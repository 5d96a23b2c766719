import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Ledger } from '../../src/certificates/ledger.ts';
import { verifyPair } from '../../src/certificates/verify.ts';
import { connect } from '../../src/engine/connect.ts';
import { BUILT } from '../../src/images/catalog.ts';
import { CertbotIssuer } from '../../src/issuers/certbot.ts';
import { Http01 } from '../../src/issuers/http-01.ts';
import { paths } from '../../src/paths.ts';
import { environment } from '../../src/settings/environment.ts';
import { systemClock } from '../../src/system/clock.ts';
import { Checkout, type InitResult } from '../support/checkout.ts';
import { makeNetwork, type Pebble, startPebble } from '../support/pebble.ts';

const NAME = 'registry.moorage.example';

let checkout: Checkout;
let pebble: Pebble;
let gateway: string;
let first: InitResult;

beforeAll(async () => {
  checkout = await Checkout.make({ DOMAIN: NAME, TLS_ISSUER: 'certbot', EMAIL: 'admin@moorage.example' });
  ({ gateway } = await makeNetwork(checkout));
  checkout.env.BIND_ADDRESS = gateway;
  pebble = await startPebble(checkout, { name: 'pebble', env: { PEBBLE_WFE_NONCEREJECT: '5' } });
  await pebble.setAddress(NAME, gateway);
  first = await checkout.init({ ACME_DIRECTORY: pebble.directory, ACME_CA_BUNDLE: pebble.trust });
});

afterAll(async () => {
  await pebble.dispose();
  await checkout.dispose();
});

test('from nothing, in one run: a certificate by certbot over nginx, deployed and proved', async () => {
  expect(first.certificate).toMatchObject({ issuer: 'certbot', names: [NAME] });
  expect(first.certificate.issuerName).toMatch(/^Pebble Intermediate CA/);
  expect(first.steps.find(({ title }) => title === 'Proof')?.summary).toMatch(
    /^pushed and pulled sha256:\w+ by HTTP \((docker: .*|Docker on this machine does not find the name)\)/,
  );
  expect(await pebble.issued()).toBe(1);
});

test('nothing of ours is ever in certbot’s folder, and its lineage has one name without a suffix', async () => {
  const [directory, ...more] = await readdir(join(checkout.root, 'var/certbot'));
  expect({ directory, more }).toEqual({ directory: 'pebble-14000-dir', more: [] });
  const live = await readdir(join(checkout.root, 'var/certbot/pebble-14000-dir/live'));
  expect(live.sort()).toEqual(['README', 'registry']);
  expect(await readFile(join(checkout.root, 'var/tls/current/fullchain.pem'), 'utf8')).toBe(
    await readFile(join(checkout.root, 'var/certbot/pebble-14000-dir/live/registry/fullchain.pem'), 'utf8'),
  );
});

test('run again it keeps the certificate and asks the CA for nothing', async () => {
  const again = await checkout.init();
  expect(again.changed).toBe(false);
  expect(again.certificate.fingerprint).toBe(first.certificate.fingerprint);
  expect(await pebble.issued()).toBe(1);
});

test('the renewer has the engine’s socket now, and looks at the certificate without a complaint', async () => {
  const { stdout } = await checkout.compose('logs', '--no-log-prefix', 'renewer');
  expect(stdout).toMatch(/valid until .*; nothing to do/);
});

test('a certificate that was issued but not yet imported when the run was killed is taken over without a new order', async () => {
  await checkout.run('rm', ['-rf', 'var/tls/current', 'var/tls/generation-1']);
  const again = await checkout.init();
  expect(again.certificate.fingerprint).toBe(first.certificate.fingerprint);
  expect(await pebble.issued()).toBe(1);
});

test('renew --force gets a new certificate and nginx shows it', async () => {
  const { exitCode, stdout } = await checkout.command('renew', ['--force', '--json']);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ changed: true, decision: { kind: 'keep' } });
  expect(await pebble.issued()).toBe(2);
  expect(await served()).toBe(JSON.parse(stdout).generation.certificate.fingerprint);
});

test('a second name is added by one more order', async () => {
  await pebble.setAddress(`www.${NAME}`, gateway);
  const result = await checkout.init({ EXTRA_DOMAINS: `www.${NAME}` });
  expect([...result.certificate.names].sort()).toEqual([NAME, `www.${NAME}`]);
});

test('a CA that refuses: exit 1 with its words, the old certificate stays', async () => {
  const before = await served();
  await pebble.setAddress(`wrong.${NAME}`, '127.0.0.2');
  const { exitCode, stderr } = await checkout.command('init-tls', ['--yes'], {
    env: { EXTRA_DOMAINS: `wrong.${NAME}` },
  });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/pebble:14000 refused a certificate for .*wrong\./);
  expect(stderr).toMatch(/connection refused|Fetching http/i);
  expect(await served()).toBe(before);
});

test('an ACME server that is not there: exit 1, the old certificate stays', async () => {
  const before = await served();
  const { exitCode, stderr } = await checkout.command('init-tls', ['--yes'], {
    env: { ACME_DIRECTORY: 'https://nowhere:14000/dir' },
  });
  expect(exitCode).toBe(1);
  expect(stderr).toContain('nowhere:14000 could not be asked');
  expect(await served()).toBe(before);
});

test('TLS_ISSUER=local replaces it at once; back to certbot the old certificate is taken over again', async () => {
  const issued = await pebble.issued();
  const local = await checkout.init({ TLS_ISSUER: 'local' });
  expect(local.certificate.issuerName).toMatch(/^Moorage local CA/);
  const back = await checkout.init({ TLS_ISSUER: 'certbot' });
  expect(back.certificate.issuer).toBe('certbot');
  expect(await pebble.issued()).toBe(issued);
  expect(await readlink(join(checkout.root, 'var/tls/current'))).toMatch(/^generation-\d$/);
});

test('a public CA is asked only after a rehearsal on its staging server went well', async () => {
  const staging = await startPebble(checkout, { name: 'staging' });
  const production = await startPebble(checkout, { name: 'production' });
  try {
    for (const ca of [staging, production]) await ca.setAddress(NAME, '127.0.0.2');
    const trust = join(checkout.root, 'var/test/both.pem');
    await writeFile(
      trust,
      (await readFile(staging.trust, 'utf8')) + (await readFile(production.trust, 'utf8')),
    );
    const issuer = new CertbotIssuer({
      engine: connect(environment().DOCKER_HOST),
      clock: systemClock,
      paths: paths(checkout.root),
      project: checkout.project,
      image: BUILT.certbot,
      directory: { url: production.directory, rehearsal: staging.directory, public: true },
      email: undefined,
      externalAccount: undefined,
      profile: undefined,
      limits: undefined,
      doubts: undefined,
      clockOfCa: async () => undefined,
      ledger: new Ledger(paths(checkout.root).ledger, systemClock),
      solver: new Http01(paths(checkout.root).challenges, {
        host: gateway,
        port: Number(checkout.env.HTTP_PORT),
      }),
      acmeTrust: trust,
      user: '0:0',
    });
    const order = { names: [NAME], replaces: undefined, rehearse: true };
    await expect(issuer.issue(order, () => undefined)).rejects.toMatchObject({
      code: 'issuance-refused',
      message: expect.stringContaining('staging:14000'),
    });
    expect(await production.orders()).toBe(0);
    for (const ca of [staging, production]) await ca.setAddress(NAME, gateway);
    const issued = await issuer.issue(order, () => undefined);
    expect(await staging.issued()).toBe(1);
    expect(await production.issued()).toBe(1);
    expect(() => verifyPair(issued, [NAME], new Date())).not.toThrow();
  } finally {
    await staging.dispose();
    await production.dispose();
  }
});

async function served(): Promise<string> {
  const target = `${gateway}:${checkout.env.HTTPS_PORT}`;
  const { stdout } = await checkout.run('openssl', ['s_client', '-connect', target, '-servername', NAME], {
    input: '',
  });
  const { stdout: print } = await checkout.run('openssl', ['x509', '-noout', '-fingerprint', '-sha256'], {
    input: stdout,
  });
  return print.replace(/^.*=/, '').trim();
}
