import { randomBytes } from 'node:crypto';
import { readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RegistryClient } from '../../src/registry/client.ts';
import { digestOf } from '../../src/registry/digest.ts';
import { makeImage } from '../../src/registry/image.ts';
import { Secret } from '../../src/secret.ts';
import { Checkout, type InitResult, loginOf } from '../support/checkout.ts';

let checkout: Checkout;
let first: InitResult;

beforeAll(async () => {
  checkout = await Checkout.make();
  first = await checkout.init();
});

afterAll(() => checkout.dispose());

const https = (path: string, ...args: string[]) =>
  checkout.run('curl', [
    '-sS',
    '--cacert',
    'var/ca/ca.crt',
    '-w',
    '\n%{http_code}',
    ...args,
    `https://${checkout.authority}${path}`,
  ]);

function login(): string {
  return loginOf(first);
}

test('from nothing: a running registry, a certificate by the own CA, a first user, and a proved push and pull', () => {
  expect(first).toMatchObject({
    url: `https://${checkout.authority}`,
    changed: true,
    firstUser: { name: 'admin' },
  });
  expect(first.certificate).toMatchObject({ issuer: 'local', names: ['localhost', '127.0.0.1', '::1'] });
  expect(first.steps.find(({ title }) => title === 'Proof')?.summary).toMatch(
    /^pushed and pulled sha256:\w+ by docker$/,
  );
});

test('curl trusts it by the CA file, by name and by address', async () => {
  expect((await https('/')).stdout).toMatch(/^A private container registry.*\n\n?200$/s);
  const byAddress = await checkout.run('curl', [
    '-sS',
    '--cacert',
    'var/ca/ca.crt',
    `https://127.0.0.1:${checkout.env.HTTPS_PORT}/`,
  ]);
  expect(byAddress.stdout).toContain('A private container registry');
});

test('the CA’s certificate is there for whoever is to trust it, and for reading alone', async () => {
  const ca = await readFile(join(checkout.root, 'var/ca/ca.crt'), 'utf8');
  const fetched = await https('/ca.crt', '-w', '%{content_type} %{http_code}');
  expect(fetched.stdout.replace(/\s+/g, ' ')).toBe(
    `${ca} application/x-x509-ca-cert 200`.replace(/\s+/g, ' '),
  );
  expect((await https('/ca.crt', '--head')).stdout).toMatch(/200$/);
  expect((await https('/ca.crt', '-X', 'POST', '-d', 'x')).stdout).toMatch(/405$/);
  const others = ['/ca-key.pem', '/privkey.pem', '/meta.json', '/ca.crt/', '/ca.crt/../privkey.pem'];
  for (const path of others) expect((await https(path, '--path-as-is')).stdout).toMatch(/404$/);
});

test('the CA’s certificate is there after init-tls where an older version has set it up', async () => {
  await rm(join(checkout.root, 'var/tls/current/ca.crt'));
  expect((await https('/ca.crt')).stdout).toMatch(/404$/);
  expect(await checkout.command('renew')).toMatchObject({ exitCode: 0 });
  expect((await https('/ca.crt')).stdout).toMatch(/BEGIN CERTIFICATE.*200$/s);
});

test('openssl finds the chain whole', async () => {
  const { exitCode, stderr } = await checkout.run('openssl', [
    'verify',
    '-x509_strict',
    '-CAfile',
    'var/ca/ca.crt',
    'var/tls/current/fullchain.pem',
  ]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
});

test('a browser that logs in at /v2/ sees {}; without a login it is asked for one', async () => {
  expect((await https('/v2/', '-u', login())).stdout).toBe('{}\n200');
  const asked = await https('/v2/', '-i');
  expect(asked.stdout).toMatch(/www-authenticate: Basic realm="Moorage"/i);
  expect(asked.stdout).toMatch(/401$/);
  expect((await https('/v2', '-o', '/dev/null', '-w', '%{redirect_url}')).stdout).toContain('/v2/');
});

test('plain HTTP is sent to HTTPS, on the right port', async () => {
  const { stdout } = await checkout.run('curl', [
    '-sS',
    '-o',
    '/dev/null',
    '-w',
    '%{http_code} %{redirect_url}',
    `http://localhost:${checkout.env.HTTP_PORT}/v2/`,
  ]);
  expect(stdout).toBe(`308 https://${checkout.authority}/v2/`);
});

test('keys, users, settings and the CA key are readable by their owner alone', async () => {
  const files = [
    '.env',
    'registry/auth/registry.password',
    'var/ca/ca-key.pem',
    'var/tls/current/privkey.pem',
  ];
  const modes = await Promise.all(
    files.map(async (file) => (await stat(join(checkout.root, file))).mode & 0o777),
  );
  expect(modes).toEqual(files.map(() => 0o600));
});

test('the generated password is on the last screen and nowhere else', async () => {
  const password = first.firstUser?.password ?? '';
  expect(password.length).toBeGreaterThanOrEqual(24);
  const found = await checkout.run('grep', ['-rlF', '--exclude-dir=node_modules', password, '.']);
  expect(found.stdout).toBe('');
  expect((await checkout.compose('logs')).stdout).not.toContain(password);
});

test('skopeo pushes and pulls as the first user; a wrong password is refused', async () => {
  const image = await makeImage('for skopeo');
  await writeFile(join(checkout.root, 'var/image.tar'), await image.archive('app:1'));
  const target = `docker://${checkout.authority}/team/app:1`;
  const push = (credentials: string) => {
    const trust = ['--dest-creds', credentials, '--dest-cert-dir', 'var/ca'];
    return checkout.run('skopeo', ['copy', '--quiet', ...trust, 'docker-archive:var/image.tar', target]);
  };
  expect((await push('admin:wrong')).stderr).toMatch(/unauthorized|authentication required/);
  expect(await push(login())).toMatchObject({ exitCode: 0 });
  const trust = ['--src-creds', login(), '--src-cert-dir', 'var/ca'];
  const back = await checkout.run('skopeo', ['copy', '--quiet', ...trust, target, 'dir:var/pulled']);
  expect(back).toMatchObject({ exitCode: 0, stderr: '' });
  const manifest = JSON.parse(await readFile(join(checkout.root, 'var/pulled/manifest.json'), 'utf8'));
  expect(manifest.config.digest).toBe(image.config.digest);
});

test('a layer of 150 MB goes through in one piece, and upload addresses fit any host and port', async () => {
  const endpoint = {
    name: 'localhost',
    host: '127.0.0.1',
    port: Number(checkout.env.HTTPS_PORT),
    trust: { kind: 'authority', pem: await readFile(join(checkout.root, 'var/ca/ca.crt'), 'utf8') },
  } as const;
  const [user = '', password = ''] = login().split(':');
  const client = new RegistryClient(endpoint, { user, password: new Secret(password) });
  const bytes = randomBytes(150_000_000);
  const digest = digestOf(bytes);
  await client.pushBlob('team/large', { digest, bytes });
  expect(await client.pullBlob('team/large', digest)).toBe(digest);
  const started = await https('/v2/team/large/blobs/uploads/', '-i', '-X', 'POST', '-u', login());
  expect(started.stdout).toMatch(/^location: \/v2\/team\/large\/blobs\/uploads\//im);
});

test('a name that is none never reaches nginx’s configuration, whoever starts it', async () => {
  const bad = ['run', '--rm', '--no-deps', '-e', 'DOMAIN=a.example; return 200', 'nginx', 'nginx', '-t'];
  const { exitCode, stderr, stdout } = await checkout.compose(...bad);
  expect(exitCode).not.toBe(0);
  expect(stdout + stderr).toContain('is not a host name');
});

test('run again it finishes, changes nothing, and keeps certificate, users and images', async () => {
  const again = await checkout.init();
  expect(again.changed).toBe(false);
  expect(again.firstUser).toBeUndefined();
  expect(again.certificate.fingerprint).toBe(first.certificate.fingerprint);
  expect((await https('/v2/team/app/tags/list', '-u', login())).stdout).toBe(
    '{"name":"team/app","tags":["1"]}\n\n200',
  );
});

test('the last screen takes six lines', async () => {
  const { stdout } = await checkout.command('init-tls', ['--yes']);
  const screen = stdout.slice(stdout.lastIndexOf('\n\n') + 2).split('\n');
  expect(screen).toHaveLength(6);
  expect(screen.join('\n')).toMatch(/Registry .*Users .*Certificate .*Trust .*Push .*Logs /s);
});

test('`docker compose up -d` finds everything as it should be', async () => {
  const { exitCode, stderr } = await checkout.compose('up', '-d');
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stderr).toMatch(/nginx-1 +Running/);
  expect(stderr).not.toMatch(/Recreate|Created|Started/);
});

test('down and up again keeps images, users and certificate', async () => {
  await checkout.compose('down');
  expect(await checkout.compose('up', '-d')).toMatchObject({ exitCode: 0 });
  const again = await checkout.init();
  expect(again.certificate.fingerprint).toBe(first.certificate.fingerprint);
  expect((await https('/v2/team/app/tags/list', '-u', login())).stdout).toContain('"tags":["1"]');
});

test('every part has a health check, a restart policy and rotated logs', async () => {
  const { stdout } = await checkout.compose('config', '--format', 'json');
  const { services } = JSON.parse(stdout);
  expect(Object.keys(services).sort()).toEqual(['gate', 'mirror', 'nginx', 'registry', 'relay', 'renewer']);
  for (const service of Object.values(services)) {
    expect(service).toMatchObject({
      restart: 'unless-stopped',
      healthcheck: { test: expect.any(Array) },
      logging: { driver: 'json-file', options: { 'max-size': '10m' } },
    });
  }
});

test('a part that is killed comes back by itself', async () => {
  const { stdout: id } = await checkout.compose('ps', '-q', 'registry');
  const started = () =>
    checkout.run('docker', ['inspect', '-f', '{{.RestartCount}} {{.State.Running}}', id.trim()]);
  const { stdout: pid } = await checkout.run('docker', ['inspect', '-f', '{{.State.Pid}}', id.trim()]);
  process.kill(Number(pid), 'SIGKILL');
  await expect.poll(async () => (await started()).stdout, { timeout: 60_000, interval: 200 }).toBe('1 true');
  await expect
    .poll(async () => (await https('/v2/', '-u', login())).stdout, { timeout: 60_000, interval: 200 })
    .toBe('{}\n200');
});

test('a changed DOMAIN changes the certificate and nothing else', async () => {
  const users = await readFile(join(checkout.root, 'registry/auth/registry.password'), 'utf8');
  const authority = await readFile(join(checkout.root, 'var/ca/ca.crt'), 'utf8');
  const renamed = await checkout.init({ DOMAIN: 'registry.localhost' });
  expect(renamed.certificate.names).toEqual(['registry.localhost']);
  expect(await readFile(join(checkout.root, 'registry/auth/registry.password'), 'utf8')).toBe(users);
  expect(await readFile(join(checkout.root, 'var/ca/ca.crt'), 'utf8')).toBe(authority);
  expect(await readlink(join(checkout.root, 'var/tls/current'))).toBe('generation-2');
  expect(await readFile(join(checkout.root, 'var/tls/current/ca.crt'), 'utf8')).toBe(authority);
  const unchanged = ['Images', 'First user', 'Configuration', 'Ports'];
  expect(renamed.steps.filter(({ changed }) => changed).map(({ title }) => title)).not.toEqual(
    expect.arrayContaining(unchanged),
  );
});
