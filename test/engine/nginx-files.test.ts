import { mkdir, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUILT } from '../../src/images/catalog.ts';
import { ensureBuilt } from '../support/built-images.ts';
import { Checkout } from '../support/checkout.ts';
import { makeTestCa } from '../support/test-ca.ts';

const NAME = 'registry.example.com';
const MIRROR = 'mirror.example.com';
/** What the container does before nginx starts, without the loop that follows the certificate. */
const FILLED_IN = `set -e
for each in 18-names.envsh 19-mirror.envsh 20-envsubst-on-templates.sh; do . "/docker-entrypoint.d/$each"; done
`;

let checkout: Checkout;
let container: string | undefined;

/** The container as Compose makes it, its rights and mounts included: one for all combinations. */
beforeAll(async () => {
  await ensureBuilt('nginx');
  checkout = await Checkout.make({ NGINX_IMAGE: BUILT.nginx });
  const tls = join(checkout.root, 'var/tls');
  const generation = join(tls, 'generation-1');
  await mkdir(tls, { recursive: true });
  const ca = await makeTestCa(join(checkout.root, 'ca'));
  await ca.issue(generation, [NAME, MIRROR]);
  await rename(join(generation, 'cert.pem'), join(generation, 'fullchain.pem'));
  await rename(join(generation, 'key.pem'), join(generation, 'privkey.pem'));
  await symlink('generation-1', join(tls, 'current'));
  const run = ['run', '--rm', '--detach', '--no-deps', '--entrypoint', 'sleep', 'nginx', 'infinity'];
  const ran = await checkout.compose(...run);
  expect(ran).toMatchObject({ exitCode: 0 });
  container = ran.stdout.trim();
});

afterAll(async () => {
  if (container !== undefined) await execa('docker', ['rm', '--force', container]);
  await checkout?.dispose();
});

async function inNginx(env: Readonly<Record<string, string>>, script: string) {
  const variables = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  const exec = ['exec', ...variables, container ?? '', 'sh', '-c', FILLED_IN + script];
  const { exitCode, stdout, stderr } = await execa('docker', exec, { reject: false });
  return { exitCode, stdout, stderr };
}

const PLACES = { tls: ['off', 'port-tls', 'name'], plain: ['off', 'port-plain', 'name'] };
const combinations = Object.entries(PLACES).flatMap(([LISTEN, places]) =>
  places.flatMap((MIRROR_AT) =>
    ['gate', 'registry'].flatMap((AUTH) =>
      ['false', 'true'].map((BEHIND_PROXY) => ({ LISTEN, AUTH, MIRROR_AT, BEHIND_PROXY })),
    ),
  ),
);

test.each(combinations)('nginx takes %j', async (env) => {
  const HSTS = env.LISTEN === 'tls' ? 'on' : '';
  const MIRROR_DOMAIN = env.MIRROR_AT === 'name' ? MIRROR : '';
  const told = { DOMAIN: NAME, HTTPS_PORT: '8443', HSTS, MIRROR_DOMAIN, ...env };
  const { exitCode, stdout, stderr } = await inNginx(told, 'nginx -T');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.not.stringMatching(/warn|emerg/) });
  const lines = stdout.split('\n').filter((line) => !line.trim().startsWith('#'));
  const said = (pattern: RegExp) => lines.some((line) => pattern.test(line));
  // By name, whom nginx asks; and whom it serves where.
  expect(said(/auth_request \/\.gate\/ask;/)).toBe(env.AUTH === 'gate');
  expect(said(/proxy_pass http:\/\/mirror;/)).toBe(env.MIRROR_AT !== 'off');
  expect(said(/\/\.gate\/ask-mirror;/)).toBe(env.AUTH === 'gate' && env.MIRROR_AT !== 'off');
  expect(said(/listen 5443/)).toBe(env.MIRROR_AT.startsWith('port-'));
  expect(said(new RegExp(`server_name ${MIRROR};`))).toBe(env.MIRROR_AT === 'name');
  expect(said(/listen 443 ssl/)).toBe(env.LISTEN === 'tls');
  expect(lines.filter((line) => /location = \/ca\.crt/.test(line))).toHaveLength(
    env.LISTEN === 'tls' ? 1 : 0,
  );
  // In the registry's own server alone: a mirror is only read.
  expect(lines.filter((line) => /if \(-f \$refused_while\)/.test(line))).toHaveLength(1);
  expect(said(/set_real_ip_from/)).toBe(env.BEHIND_PROXY === 'true');
  // What nginx counts is for its own container.
  const servers = lines.join('\n').match(/^server \{\n[\s\S]*?^\}$/gm) ?? [];
  const counting = servers.filter((server) => server.includes('stub_status;'));
  expect(counting.flatMap((server) => server.match(/listen .*;/g))).toEqual(['listen 127.0.0.1:8080;']);
  expect(stdout.match(/stub_status;/g)).toHaveLength(1);
});

test.each([
  ['an IPv6 address', { DOMAIN: '2001:db8::7' }],
  ['an IPv4 address and a name', { DOMAIN: '192.0.2.7', EXTRA_DOMAINS: `${NAME},localhost` }],
  ['a name as long as names get', { DOMAIN: `${'long-name.'.repeat(24)}example` }],
  ['proxies by address and network', { BEHIND_PROXY: '192.0.2.7,2001:db8:5::/48' }],
])('nginx takes %s', async (_, more) => {
  const env = { DOMAIN: NAME, HTTPS_PORT: '443', LISTEN: 'tls', AUTH: 'gate', ...more };
  expect(await inNginx(env, 'nginx -t -q')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
});

test.each([
  ['DOMAIN', 'registry.example.com; return 200'],
  ['EXTRA_DOMAINS', 'a.example.com,$host'],
  ['HTTPS_PORT', '443;'],
  ['LISTEN', '../user.d/x'],
  ['AUTH', 'nobody'],
  ['BEHIND_PROXY', 'proxy.example.com'],
  ['BEHIND_PROXY', '0.0.0.0/0'],
  ['MIRROR_AT', 'name; '],
])('%s=%j never reaches the configuration', async (name, value) => {
  const env = { DOMAIN: NAME, HTTPS_PORT: '443', LISTEN: 'tls', AUTH: 'gate', [name]: value };
  const { exitCode, stderr } = await inNginx(env, 'echo filled in');
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(name) });
});

test('a mirror by name needs one', async () => {
  const env = { DOMAIN: NAME, MIRROR_AT: 'name' };
  for (const MIRROR_DOMAIN of ['', 'mirror example', `${MIRROR};`])
    expect(await inNginx({ ...env, MIRROR_DOMAIN }, 'echo filled in')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('MIRROR_DOMAIN'),
    });
});
