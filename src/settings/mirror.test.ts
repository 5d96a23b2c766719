import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { wrongInput } from '../../test/support/wrong-input.ts';
import { paths } from '../paths.ts';
import { loadSettings } from './load.ts';
import { certificateNames, mirrorAuthority } from './settings.ts';

const UPSTREAM = 'https://registry.example.com';
const root = await mkdtemp(join(tmpdir(), 'mirror settings '));

const load = (values: Record<string, string>) => loadSettings(paths(root), values);

const problems = (values: Record<string, string>) => wrongInput(load(values));

test('without MIRROR_OF there is none, whatever else is set', async () => {
  expect((await load({})).mirror).toBeUndefined();
  const others = { MIRROR_USERNAME: 'me', MIRROR_PORT: '80', MIRROR_DOMAIN: 'hub.example.com' };
  const settings = await load(others);
  expect(settings.mirror).toBeUndefined();
  expect(certificateNames(settings)).not.toContain('hub.example.com');
});

test('with MIRROR_OF alone it is on port 5443 for a week', async () => {
  const settings = await load({ MIRROR_OF: 'docker.io' });
  const { mirror } = settings;
  if (mirror === undefined) throw new Error('there is none');
  expect(mirror).toMatchObject({ upstream: 'https://registry-1.docker.io', port: 5443, keepDays: 7 });
  expect(mirror.dataDirectory).toBe(join(root, 'var/mirror'));
  expect(mirrorAuthority(mirror, settings)).toBe('localhost:5443');
});

test('a name of its own goes into the certificate and is on the port of the registry', async () => {
  const settings = await load({
    DOMAIN: 'r.lan',
    MIRROR_OF: UPSTREAM,
    MIRROR_DOMAIN: 'Hub.lan',
    HTTPS_PORT: '8443',
  });
  expect(certificateNames(settings)).toEqual(['r.lan', 'hub.lan']);
  const { mirror } = settings;
  if (mirror === undefined) throw new Error('there is none');
  expect(mirrorAuthority(mirror, settings)).toBe('hub.lan:8443');
});

test('behind a proxy that ends TLS its name is on the port of the proxy', async () => {
  const settings = await load({
    ...{ DOMAIN: 'r.lan', MIRROR_OF: UPSTREAM, MIRROR_DOMAIN: 'hub.lan' },
    ...{ TLS_ISSUER: 'none', BEHIND_PROXY: 'true', HTTP_PORT: '8080', HTTPS_PORT: '443' },
  });
  if (settings.mirror === undefined) throw new Error('there is none');
  expect(mirrorAuthority(settings.mirror, settings)).toBe('hub.lan');
});

test('the password is hidden', async () => {
  const { mirror } = await load({ MIRROR_OF: UPSTREAM, MIRROR_USERNAME: 'me', MIRROR_PASSWORD: 'hidden' });
  expect(mirror?.credentials?.password.reveal()).toBe('hidden');
  expect(JSON.stringify(mirror)).not.toContain('hidden');
});

test.each([
  ['docker.io', 'https://registry-1.docker.io'],
  ['https://index.docker.io/', 'https://registry-1.docker.io'],
  ['https://Registry.Example.com:5000/', 'https://registry.example.com:5000'],
  ['http://10.0.0.1:5000', 'http://10.0.0.1:5000'],
  ['http://nas.lan', 'http://nas.lan'],
  ['https://[2001:db8::1]', 'https://[2001:db8::1]'],
])('MIRROR_OF=%s is %s', async (MIRROR_OF, upstream) => {
  expect((await load({ MIRROR_OF })).mirror?.upstream).toBe(upstream);
});

test.each<[Record<string, string>, RegExp]>([
  [{ MIRROR_OF: 'registry.example.com' }, /MIRROR_OF: "registry.example.com" is neither docker.io nor/],
  [{ MIRROR_OF: 'ftp://registry.example.com' }, /is neither docker.io nor/],
  [{ MIRROR_OF: 'http://registry.example.com' }, /must begin with https/],
  [{ MIRROR_OF: `${UPSTREAM}/v2/` }, /must end with the host/],
  [{ MIRROR_OF: 'https://localhost' }, /is this registry itself/],
  [{ MIRROR_OF: 'https://localhost:5443' }, /is this registry itself/],
  [{ MIRROR_USERNAME: 'me' }, /MIRROR_USERNAME: needs MIRROR_PASSWORD/],
  [{ MIRROR_PASSWORD: 'x' }, /MIRROR_USERNAME: needs MIRROR_PASSWORD/],
  [{ MIRROR_USERNAME: 'a:b', MIRROR_PASSWORD: 'x' }, /MIRROR_USERNAME: "a:b" has a colon/],
  [{ MIRROR_PORT: '443' }, /MIRROR_PORT: 443 is HTTPS_PORT too/],
  [{ HTTP_PORT: '5443' }, /MIRROR_PORT: 5443 is HTTP_PORT too/],
  [{ MIRROR_PORT: '0' }, /MIRROR_PORT: "0" is not between/],
  [{ MIRROR_PORT: '6000', MIRROR_DOMAIN: 'hub.lan' }, /MIRROR_PORT: 6000 is one address/],
  [{ MIRROR_DOMAIN: 'localhost' }, /MIRROR_DOMAIN: "localhost" is the registry's/],
  [{ MIRROR_DOMAIN: '10.0.0.1' }, /MIRROR_DOMAIN: "10.0.0.1" is an address/],
  [
    { DOMAIN: 'r.example.com', MIRROR_DOMAIN: 'hub.lan' },
    /MIRROR_DOMAIN: hub.lan is private: no public CA issues for it/,
  ],
  [{ MIRROR_DATA_DIR: './registry/data' }, /MIRROR_DATA_DIR: .* are in each other/],
  [{ MIRROR_DATA_DIR: './registry' }, /MIRROR_DATA_DIR: .* are in each other/],
  [{ MIRROR_DATA_DIR: 'mirror' }, /must begin with/],
  [{ MIRROR_KEEP_DAYS: '0' }, /MIRROR_KEEP_DAYS: "0" is not between/],
  [{ MIRROR_KEEP_DAYS: 'a week' }, /MIRROR_KEEP_DAYS: "a week" is not a number/],
  [{ MIRROR_CA_BUNDLE: './none.pem' }, /MIRROR_CA_BUNDLE: ".\/none.pem" does not exist/],
])('%j is refused', async (values, reason) => {
  expect(await problems({ MIRROR_OF: UPSTREAM, ...values })).toMatch(reason);
});

test.each([
  [{ MIRROR_OF: 'https://me:SECRET@registry.example.com' }],
  [{ MIRROR_OF: UPSTREAM, MIRROR_USERNAME: 'me', MIRROR_PASSWORD: 'SECRET#x' }],
  [{ MIRROR_OF: UPSTREAM, MIRROR_USERNAME: 'me', MIRROR_PASSWORD: 'SECRET"x' }],
])('a password that can’t be used is refused without being repeated', async (values) => {
  const told = await problems(values);
  expect(told).toMatch(/^MIRROR_/);
  expect(told).not.toContain('SECRET');
});

test('a CA bundle that is none is refused', async () => {
  await writeFile(join(root, 'none.pem'), 'nothing');
  expect(await problems({ MIRROR_OF: UPSTREAM, MIRROR_CA_BUNDLE: './none.pem' })).toMatch(
    /no PEM certificate/,
  );
});
