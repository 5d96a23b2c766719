import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { servedFingerprint } from '../../src/certificates/handshake.ts';
import { LocalIssuer } from '../../src/issuers/local.ts';
import { systemClock } from '../../src/system/clock.ts';
import { Checkout, type InitResult } from '../support/checkout.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { startLocalPebble } from '../support/local-pebble.ts';
import { makeNetwork, type Pebble } from '../support/pebble.ts';
import { keepAsking } from '../support/traffic.ts';

const NAME = 'registry.moorage.example';
const MOUNTS = '{{range .Mounts}}{{.Source}}>{{.Destination}} {{end}}';

let checkout: Checkout;
let pebble: Pebble;
/** The CA as host and containers reach it: at the gateway of the stack's network. */
let ca: FaultProxy;
let port: number;
let provided: { certificate: string; key: string };

beforeAll(async () => {
  checkout = await Checkout.make({ DOMAIN: NAME });
  const { gateway } = await makeNetwork(checkout);
  pebble = await startLocalPebble({ httpPort: Number(checkout.env.HTTP_PORT) });
  ca = await FaultProxy.start(pebble, { host: gateway });
  port = Number(checkout.env.HTTPS_PORT);
  const folder = join(dirname(checkout.root), 'certificates of mine');
  await mkdir(folder);
  provided = { certificate: join(folder, 'chain.pem'), key: join(folder, 'key.pem') };
});

afterAll(async () => {
  await ca.close();
  await pebble.dispose();
  await checkout.dispose();
});

let acme: InitResult;

test('from nothing with TLS_ISSUER=acme: a certificate without certbot and without the engine’s socket', async () => {
  acme = await checkout.init({ TLS_ISSUER: 'acme', ACME_DIRECTORY: ca.directory, ACME_CA_BUNDLE: ca.trust });
  expect(acme.certificate).toMatchObject({ issuer: 'acme', names: [NAME] });
  expect(acme.steps.find(({ title }) => title === 'Proof')?.summary).toMatch(/^pushed and pulled sha256:/);
  expect(await readdir(join(checkout.root, 'var/certbot'))).toEqual([]);
  expect(await inspect(MOUNTS)).toContain('/dev/null>/var/run/docker.sock');
});

test('the renewer has nothing it does not need: no port, no capability, no way to write but its state', async () => {
  expect(
    await inspect('{{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}} {{.HostConfig.ReadonlyRootfs}}'),
  ).toMatch(/^\[ALL\] \[\] true/);
  expect(await inspect('{{.HostConfig.PortBindings}} {{.HostConfig.SecurityOpt}}')).toMatch(
    /^map\[\] \[no-new-privileges:true\]/,
  );
});

test('run again it keeps the certificate, and the CA is asked for none', async () => {
  const again = await checkout.init();
  expect(again.changed).toBe(false);
  expect(ca.seen('newOrder')).toHaveLength(1);
});

test('renew tells the decision, its reason, and what was asked of the CA', async () => {
  const { stdout } = await checkout.command('renew');
  expect(stdout).toMatch(/Certificate +valid until .*, renewal window .*, drawn .* UTC; nothing to do/);
  expect(stdout).toMatch(/Orders +1 in the last 7 days at .*, of which no limits are known/);
  expect(stdout).toMatch(/Last attempt +.*: a new certificate/);
});

test('renew --dry-run goes the whole way at the CA, and what is served stays', async () => {
  const before = await served();
  const { exitCode, stdout } = await checkout.command('renew', ['--dry-run']);
  expect({ exitCode, stdout }).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(
      /Rehearsal .*issued a certificate, and it was thrown away; what is served was not touched/,
    ),
  });
  expect(await pebble.issued()).toBe(2);
  expect(await served()).toBe(before);
});

test('when the CA moves the renewal window into the past, the renewer renews by itself, once', async () => {
  const chain = await readFile(join(checkout.root, 'var/tls/current/fullchain.pem'), 'utf8');
  const start = new Date(Date.now() - 2 * 86_400_000);
  const explanationUrl = 'https://ca.example/incident-7';
  await pebble.setRenewalWindow(chain, {
    start,
    end: new Date(start.getTime() + 86_400_000),
    explanationUrl,
  });
  await forgetAdvice();
  const before = await served();
  await checkout.compose('restart', 'renewer');
  await expect.poll(served, { timeout: 60_000, interval: 100 }).not.toBe(before);
  await expect.poll(renewerLog, { timeout: 30_000, interval: 200 }).toMatch(/incident-7/);
  expect(ca.seen('newOrder').at(-1)?.payload).toMatchObject({ replaces: expect.any(String) });
});

test('local, acme again, certbot, provided: each switch is one setting and one command, and no request fails', async () => {
  const orders = ca.seen('newOrder').length;
  const requests = keepAsking(port, NAME);
  const local = await checkout.init({ TLS_ISSUER: 'local' });
  expect(local.certificate.issuerName).toMatch(/^Moorage local CA/);
  const back = await checkout.init({ TLS_ISSUER: 'acme' });
  expect(back.certificate.issuer).toBe('acme');
  expect(ca.seen('newOrder')).toHaveLength(orders); // the certificate it had is still good
  const bot = await checkout.init({ TLS_ISSUER: 'certbot' });
  expect(bot.certificate.issuer).toBe('certbot');
  expect(await inspect(MOUNTS)).toMatch(/docker\.sock>\/var\/run\/docker\.sock/);
  await provide(365);
  const own = await checkout.init({
    TLS_ISSUER: 'provided',
    TLS_CERT_FILE: provided.certificate,
    TLS_KEY_FILE: provided.key,
  });
  expect(own.certificate).toMatchObject({ issuer: 'provided', issuerName: expect.stringMatching(/CA/) });
  expect(await inspect(MOUNTS)).toContain('/dev/null>/var/run/docker.sock');
  const { asked, failed } = await requests.stop();
  expect(failed).toEqual([]);
  expect(asked).toBeGreaterThan(20);
});

test('a provided pair that is replaced is served within seconds, without a command', async () => {
  const before = await served();
  const fingerprint = await provide(200);
  await expect.poll(served, { timeout: 60_000, interval: 200 }).toBe(fingerprint);
  expect(fingerprint).not.toBe(before);
});

test('a provided pair that does not fit is refused, told, and never served', async () => {
  const before = await served();
  const key = await readFile(provided.key, 'utf8');
  await provide(100);
  await writeFile(`${provided.key}.new`, key);
  await rename(`${provided.key}.new`, provided.key);
  await expect
    .poll(renewerLog, { timeout: 60_000, interval: 200 })
    .toMatch(/the private key is that of another/);
  expect(await served()).toBe(before);
  const { exitCode, stderr } = await checkout.command('renew');
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('the private key is that of another certificate'),
  });
  expect(await served()).toBe(before);
});

test('provided files that are not there are refused before anything changes', async () => {
  const { exitCode, stderr } = await checkout.command('init-tls', ['--yes'], {
    env: { TLS_CERT_FILE: '/nowhere/chain.pem' },
  });
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('TLS_CERT_FILE'),
  });
});

test('TLS_ISSUER=none: plain HTTP on this machine alone, with a warning, pushed and pulled', async () => {
  const plain = await checkout.init({ TLS_ISSUER: 'none', DOMAIN: 'localhost' });
  expect(plain.url).toBe(`http://localhost:${checkout.env.HTTP_PORT}`);
  expect(plain.certificate).toBeNull();
  expect(plain.steps.find(({ title }) => title === 'Proof')?.summary).toMatch(
    /^pushed and pulled sha256:\w+ by docker/,
  );
  const { stdout } = await checkout.command('init-tls', ['--yes']);
  expect(stdout).toMatch(/NONE: passwords and images can be read by everybody on the way/);
  const { stdout: ports } = await checkout.compose('port', 'nginx', '80');
  expect(ports).toMatch(/^127\.0\.0\.1:/);
});

test('back from plain HTTP to TLS', async () => {
  const local = await checkout.init({ TLS_ISSUER: 'local', DOMAIN: NAME });
  expect(local.certificate.issuer).toBe('local');
  expect(local.certificate.fingerprint).toBe(await served());
});

/** Writes a fresh pair where it is provided, as a careful program does: by a rename. */
async function provide(days: number): Promise<string> {
  const issuer = new LocalIssuer(join(dirname(checkout.root), `CA for ${days} days`), systemClock);
  const { chain, privateKey } = await issuer.issue({ names: [NAME], replaces: undefined }, () => undefined);
  for (const [path, content] of [
    [provided.key, privateKey],
    [provided.certificate, chain],
  ] as const) {
    await writeFile(`${path}.new`, content, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }
  const { stdout } = await checkout.run('openssl', [
    'x509',
    '-noout',
    '-fingerprint',
    '-sha256',
    '-in',
    provided.certificate,
  ]);
  return stdout.replace(/^.*=/, '').trim();
}

/** The CA is asked for its advice at most once an hour; here it shall be asked now. */
async function forgetAdvice(): Promise<void> {
  const file = join(checkout.root, 'var/renewal.json');
  const { advice: _, ...rest } = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify(rest));
}

async function renewerLog(): Promise<string> {
  return (await checkout.compose('logs', '--no-log-prefix', 'renewer')).stdout;
}

async function inspect(format: string): Promise<string> {
  const { stdout: id } = await checkout.compose('ps', '-q', 'renewer');
  return (await checkout.run('docker', ['inspect', '-f', format, id.trim()])).stdout;
}

async function served(): Promise<string> {
  const shown = await servedFingerprint({ host: '127.0.0.1', port, servername: NAME, timeout: 5_000 });
  return shown.kind === 'shown' ? shown.fingerprint : shown.reason;
}
