import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { wrongInput } from '../../test/support/wrong-input.ts';
import { paths } from '../paths.ts';
import { loadSettings } from './load.ts';
import { certificateNames, registryAuthority, registryUrl } from './settings.ts';

async function checkout(env = '') {
  const root = await mkdtemp(join(tmpdir(), 'moorage settings '));
  await writeFile(join(root, '.env'), env);
  return paths(root);
}

const problems = async (values: Record<string, string>) => wrongInput(loadSettings(await checkout(), values));

test('with nothing set, the registry is localhost with a local certificate on the usual ports', async () => {
  const settings = await loadSettings(await checkout(), {});
  expect(settings).toMatchObject({ domain: 'localhost', issuer: 'local', httpPort: 80, httpsPort: 443 });
  expect(settings.registryDataDirectory).toMatch(/registry\/data$/);
});

test('the environment wins over .env, and an empty value is an unset one', async () => {
  const places = await checkout('DOMAIN=from-file.example\nHTTP_PORT=8080\nEMAIL=\n');
  const settings = await loadSettings(places, { DOMAIN: 'from-env.example' });
  expect(settings).toMatchObject({ domain: 'from-env.example', httpPort: 8080, email: undefined });
});

test('a backup password that a person wrote above what init-tls wrote wins over the one that was made', async () => {
  const block = '# --- Written by init-tls. Change the settings above instead. ---';
  const { backup } = await loadSettings(
    await checkout(`BACKUP_PASSWORD=mine\n${block}\nBACKUP_PASSWORD=made\n`),
    {},
  );
  expect(backup.password?.reveal()).toBe('mine');
});

test.each([
  ['localhost', 'local'],
  ['registry', 'local'],
  ['10.1.2.3', 'local'],
  ['192.168.1.5', 'local'],
  ['172.31.255.1', 'local'],
  ['fd00::1', 'local'],
  ['a.localhost', 'local'],
  ['nas.local', 'local'],
  ['r.internal', 'local'],
  ['r.test', 'local'],
  ['r.home.arpa', 'local'],
  ['r.lan', 'local'],
  ['registry.example.com', 'certbot'],
  ['notlocal.example', 'certbot'],
  ['203.0.113.7', 'acme'],
  ['2001:db8::1', 'acme'],
])('TLS_ISSUER=auto makes of %s the issuer %s', async (DOMAIN, issuer) => {
  expect((await loadSettings(await checkout(), { DOMAIN })).issuer).toBe(issuer);
});

/** Every setting, wrong in at least two ways, and a word of the reason that must be told. */
const wrong: [name: string, value: string, reason: string][] = [
  ['DOMAIN', 'https://registry.example.com', 'URL'],
  ['DOMAIN', 'registry.example.com/app', 'path'],
  ['DOMAIN', 'registry.example.com:5000', 'port'],
  ['DOMAIN', '*.example.com', 'wildcard'],
  ['DOMAIN', 'bücher.example', 'xn--'],
  ['DOMAIN', 'a..b', 'not a host name'],
  ['DOMAIN', 'x; return 200', 'not a host name'],
  ['DOMAIN', '999.1.1.1', 'neither'],
  ['DOMAIN', 'fe80::1%eth0', 'zone'],
  ['DOMAIN', `${'a'.repeat(64)}.example`, 'not a host name'],
  ['DOMAIN', `${'a.'.repeat(130)}example`, 'longer'],
  ['EXTRA_DOMAINS', 'ok.example, no good', 'no good'],
  ['EXTRA_DOMAINS', 'ok.example,http://x', 'URL'],
  ['EMAIL', 'nobody', 'e-mail'],
  ['EMAIL', 'a@b@c', 'e-mail'],
  ['TLS_ISSUER', 'letsencrypt', 'auto, certbot, acme, local, provided, none'],
  ['TLS_ISSUER', 'Local', 'auto, certbot, acme, local, provided, none'],
  ['ACME_DIRECTORY', 'http://acme.example/dir', 'https://'],
  ['ACME_DIRECTORY', 'lets-encrypt', 'letsencrypt'],
  ['ACME_FALLBACK_DIRECTORY', 'http://acme.example/dir', 'https://'],
  ['ACME_FALLBACK_DIRECTORY', 'second', 'letsencrypt'],
  ['ACME_PROFILE', 'short lived', 'profile'],
  ['ACME_PROFILE', 'a"b', 'profile'],
  ['ACME_EAB_KID', 'a b', 'key identifier'],
  ['ACME_EAB_KID', 'a\nb', 'key identifier'],
  ['ACME_EAB_HMAC_KEY', 'not base64!', 'base64url'],
  ['ACME_EAB_HMAC_KEY', 'a=b', 'base64url'],
  ['ACME_DNS_HOOK', './hook', 'absolute'],
  ['ACME_DNS_HOOK', '/nowhere/hook', 'does not exist'],
  ['ACME_DNS_HOOK_ENV', './hook.env', 'absolute'],
  ['ACME_DNS_HOOK_ENV', '/nowhere/hook.env', 'does not exist'],
  ['DISK_RESERVE', '2G', '2GiB'],
  ['DISK_RESERVE', '95%', '90%'],
  ['TLS_CERT_FILE', 'cert.pem', 'absolute'],
  ['TLS_CERT_FILE', './cert.pem', 'absolute'],
  ['TLS_KEY_FILE', 'key.pem', 'absolute'],
  ['TLS_KEY_FILE', './key.pem', 'absolute'],
  ['ALERT_URL', 'ntfy.sh/topic', 'http'],
  ['ALERT_URL', 'http://example.com/hook', 'https'],
  ['ALERT_EMAIL', 'nobody', 'nobody'],
  ['ALERT_EMAIL', 'a@b.example, c', '"c"'],
  ['ALERT_FROM', 'nobody', 'nobody'],
  ['ALERT_FROM', 'a@b.example,c@d.example', 'one address'],
  ['SMTP_URL', 'mail.example.com', 'smtp'],
  ['SMTP_URL', 'https://mail.example.com', 'smtp'],
  ['ACME_DIRECTORY', 'https://user:pw@acme.example/dir', 'password'],
  ['ACME_CA_BUNDLE', '/nowhere/ca.pem', 'does not exist'],
  ['ACME_CA_BUNDLE', '/etc/hostname', 'no PEM certificate'],
  ['ACME_CA_BUNDLE', 'ca.pem', 'begin with'],
  ['BIND_ADDRESS', 'eth0', 'IP address'],
  ['BIND_ADDRESS', '256.0.0.1', 'IP address'],
  ['HTTP_PORT', 'http', 'port'],
  ['HTTP_PORT', '0', 'between'],
  ['HTTPS_PORT', '65536', 'between'],
  ['HTTPS_PORT', '-1', 'port'],
  ['IMAGES', 'download', 'auto, pull, build, load'],
  ['IMAGES_FILE', 'images.tar', 'begin with'],
  ['REGISTRY_IMAGE', 'registry', 'no tag'],
  ['REGISTRY_IMAGE', 'registry:latest', 'latest'],
  ['NGINX_IMAGE', 'nginx stable', 'image reference'],
  ['NGINX_IMAGE', 'NGINX:1', 'image reference'],
  ['CERTBOT_IMAGE', 'certbot/certbot@sha256:123', 'image reference'],
  ['CERTBOT_IMAGE', 'certbot/certbot', 'no tag'],
  ['NODE_IMAGE', 'node:', 'image reference'],
  ['NODE_IMAGE', 'node', 'no tag'],
  ['REGISTRY_DATA_DIR', 'data', 'begin with'],
  ['REGISTRY_DATA_DIR', '/srv/$HOME', '$'],
  ['COMPOSE_PROJECT_NAME', 'My Registry', 'lower-case'],
  ['COMPOSE_PROJECT_NAME', '-x', 'lower-case'],
  ['BEHIND_PROXY', 'maybe', 'true or false'],
  ['BEHIND_PROXY', 'proxy.example', 'true or false'],
  ['BEHIND_PROXY', '192.0.2.1, 10.0.0.0/33', '"10.0.0.0/33"'],
  ['BEHIND_PROXY', '10.0.0.0/8/8', 'neither'],
  ['BEHIND_PROXY', 'fe80::1%eth0', 'neither'],
  ['BEHIND_PROXY', '192.0.2.1,', '""'],
  ['BEHIND_PROXY', '0.0.0.0/0', 'everybody'],
  ['BEHIND_PROXY', '::/0', 'everybody'],
  ['AUTH', 'none', 'gate or registry'],
  ['AUTH', 'Gate', 'gate or registry'],
  ['AUTH_TTL', '0', 'between 1 and 3600'],
  ['AUTH_TTL', '3601', 'between 1 and 3600'],
  ['AUTH_TTL', '1m', 'seconds'],
  ['STATE_OWNER', 'root', 'uid:gid'],
  ['ACME_CHALLENGE', 'dns', 'http-01 or dns-01'],
  ['ACME_CHALLENGE', 'tls-alpn-01', 'http-01 or dns-01'],
  ['REGISTRY_HTTP_SECRET', 'short', 'shorter'],
  ['NGINX_ADDRESS', 'nginx', 'host:port'],
];

test.each(wrong)('%s=%s is refused: %s', async (name, value, reason) => {
  const told = await problems({ [name]: value });
  expect(told).toContain(name);
  expect(told).toContain(reason);
});

test.each([
  [{ HTTP_PORT: '443' }, 'HTTPS_PORT'],
  [{ DOMAIN: 'localhost', TLS_ISSUER: 'certbot' }, 'TLS_ISSUER=local'],
  [{ DOMAIN: 'a.example', EXTRA_DOMAINS: 'b.lan', TLS_ISSUER: 'certbot' }, 'EXTRA_DOMAINS'],
  [{ DOMAIN: '203.0.113.7', TLS_ISSUER: 'certbot' }, 'TLS_ISSUER=acme'],
  [{ DOMAIN: 'a.example', ACME_DIRECTORY: 'zerossl' }, 'ACME_EAB_KID'],
  [{ DOMAIN: 'a.example', ACME_EAB_KID: 'x' }, 'ACME_EAB_HMAC_KEY'],
  [{ DOMAIN: 'a.example', ACME_FALLBACK_DIRECTORY: 'letsencrypt' }, 'ACME_FALLBACK_DIRECTORY'],
  [{ DOMAIN: 'a.example', ACME_FALLBACK_DIRECTORY: 'google' }, 'ACME_FALLBACK_DIRECTORY'],
  [{ DOMAIN: 'a.example', ACME_CHALLENGE: 'dns-01' }, 'ACME_DNS_HOOK'],
  [{ DOMAIN: 'a.example', ACME_CHALLENGE: 'dns-01', TLS_ISSUER: 'certbot' }, 'TLS_ISSUER=acme'],
  [{ DOMAIN: '203.0.113.7', ACME_CHALLENGE: 'dns-01', ACME_DNS_HOOK: '/bin/true' }, '203.0.113.7'],
  [{ TLS_ISSUER: 'provided' }, 'TLS_CERT_FILE'],
  [{ TLS_ISSUER: 'provided', TLS_CERT_FILE: '/etc/hostname' }, 'TLS_KEY_FILE'],
  [{ ALERT_EMAIL: 'a@b.example' }, 'SMTP_URL'],
])('what is right alone and wrong together is refused: %j', async (values, reason) => {
  expect(await problems(values)).toContain(reason);
});

test('a private ACME server may issue for a private name', async () => {
  const values = {
    DOMAIN: 'r.internal',
    TLS_ISSUER: 'certbot',
    ACME_DIRECTORY: 'https://ca.internal/acme/directory',
  };
  expect(await problems(values)).toBe('');
});

test('all problems are told at once', async () => {
  const told = await problems({ DOMAIN: '*', HTTP_PORT: 'x', EMAIL: 'y' });
  expect(told.split('\n')).toHaveLength(3);
});

test('a secret that is wrong is not repeated', async () => {
  const secret = ['REGISTRY_HTTP_SECRET', 'ACME_EAB_HMAC_KEY', 'ALERT_URL', 'SMTP_URL'];
  for (const name of secret) {
    const told = await problems({ [name]: 'hunter2 !' });
    expect(told).toContain(name);
    expect(told).not.toContain('hunter2');
  }
});

const front = { httpPort: 80, httpsPort: 443, issuer: 'local', trustedProxies: [] } as const;

test('the name before an image has a port only where it is not 443, and brackets around IPv6', () => {
  expect(registryAuthority({ ...front, domain: 'r.example' })).toBe('r.example');
  expect(registryAuthority({ ...front, domain: 'fd00::1', httpsPort: 8443 })).toBe('[fd00::1]:8443');
});

test('a local certificate for localhost names the loopback addresses too', () => {
  expect(certificateNames({ names: ['localhost'], issuer: 'local' })).toEqual([
    'localhost',
    '127.0.0.1',
    '::1',
  ]);
  expect(certificateNames({ names: ['r.lan'], issuer: 'local' })).toEqual(['r.lan']);
});

test('without TLS the registry is at the HTTP port, and only on this machine unless somebody insists', async () => {
  const settings = await loadSettings(await checkout(), { TLS_ISSUER: 'none', HTTP_PORT: '8080' });
  expect(settings.bindAddress).toBe('127.0.0.1');
  expect(registryUrl(settings)).toBe('http://localhost:8080');
  const open = { TLS_ISSUER: 'none', BIND_ADDRESS: '0.0.0.0' };
  expect((await loadSettings(await checkout(), open)).bindAddress).toBe('0.0.0.0');
});

test('behind a proxy that ends TLS clients are at the proxy: https, and its port is HTTPS_PORT', async () => {
  const plain = { TLS_ISSUER: 'none', BEHIND_PROXY: 'true', DOMAIN: 'r.example', HTTP_PORT: '8080' };
  const url = async (more: Record<string, string>) =>
    registryUrl(await loadSettings(await checkout(), { ...plain, ...more }));
  expect(await url({})).toBe('https://r.example');
  expect(await url({ HTTPS_PORT: '8443' })).toBe('https://r.example:8443');
});

test('with IMAGES=load an image is not named by a digest: no archive has it', async () => {
  const REGISTRY_IMAGE = `registry:2.8.3@sha256:${'0'.repeat(64)}`;
  expect(await problems({ IMAGES: 'load', REGISTRY_IMAGE })).toMatch(/REGISTRY_IMAGE.*has a digest/);
  expect((await loadSettings(await checkout(), { IMAGES: 'pull', REGISTRY_IMAGE })).images).toBe('pull');
});
