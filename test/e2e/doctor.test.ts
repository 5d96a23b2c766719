import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { LocalIssuer } from '../../src/issuers/local.ts';
import { systemClock } from '../../src/system/clock.ts';
import { Checkout } from '../support/checkout.ts';
import { type Diagnosis, diagnose } from '../support/doctor.ts';

const SOON = { timeout: 60_000, interval: 50 };

let checkout: Checkout;
let healthy: Diagnosis;

beforeAll(async () => {
  checkout = await Checkout.make();
  await checkout.init();
  healthy = await diagnose(checkout);
});

afterAll(async () => {
  await checkout.dispose();
});

const repositories = () => join(checkout.root, 'registry/data/docker/registry/v2/repositories/moorage');
const layers = async () => {
  const blobs = join(checkout.root, 'registry/data/docker/registry/v2/blobs/sha256');
  const files = await Promise.all(
    (await readdir(blobs, { recursive: true })).map((name) => stat(join(blobs, name))),
  );
  return files.filter((file) => file.isFile() && file.size > 100_000).length;
};

describe('a healthy registry', () => {
  test('is fine in every respect, and the doctor ends with 0', () => {
    expect(healthy.unwell).toEqual([]);
    expect(healthy).toMatchObject({ healthy: true, exitCode: 0 });
  });

  test('takes and gives more than 100 MiB through its public address', () => {
    expect(healthy.check('push').detail).toMatch(/^128 MiB in one piece/);
    expect(healthy.check('chunks').detail).toMatch(/^128 MiB in chunks of 16 MiB/);
    expect(healthy.check('pull').detail).toMatch(/^128 MiB and a part/);
    expect(healthy.check('slow-push').detail).toMatch(/^\d+ KiB of 64 KiB were there before the end$/);
  });

  test('has nothing of it afterwards: no repository, no layer, no user', async () => {
    expect(await readdir(repositories())).toEqual(['proof']);
    expect(await layers()).toBe(0);
    const users = await readFile(join(checkout.root, 'registry/auth/registry.password'), 'utf8');
    expect(users).not.toContain('moorage-doctor');
  });

  test('is told to people in groups, with one line at the end', async () => {
    const { stdout, exitCode } = await checkout.command('doctor', ['--quick']);
    expect(stdout).toMatch(/^Machine\n {2}✓ settings +https:\/\/localhost:\d+, TLS by local$/m);
    expect(stdout).toMatch(/\n\nnothing is broken; \d+ fine, \d+ s$/);
    expect(stdout).not.toMatch(/✓ push/);
    expect(exitCode).toBe(0);
  });
});

test('a check that there is not is refused, with those that there are', async () => {
  const { exitCode, stderr } = await checkout.command('doctor', ['--only', 'weather']);
  expect([exitCode, stderr]).toEqual([
    2,
    expect.stringMatching(/weather: is no check; there are settings, node/),
  ]);
});

test('a run that was killed in the middle of a push leaves nothing for long', async () => {
  const cut = execa('npm', ['run', '--silent', 'doctor', '--', '--only', 'slow-push', '--only', 'push'], {
    cwd: checkout.root,
    env: checkout.env,
    detached: true,
    reject: false,
  });
  await vi.waitUntil(async () => (await readdir(repositories())).includes('doctor'), SOON);
  process.kill(-Number(cut.pid), 'SIGKILL');
  await cut;
  await diagnose(checkout, ['--only', 'login']);
  expect(await readdir(repositories())).toEqual(['proof']);
  expect(await layers()).toBe(0);
});

describe('what is wrong is found, with what to do', () => {
  test('a secret that others can read, which --fix closes', async () => {
    const secret = join(checkout.root, 'registry/auth/registry.password');
    await chmod(secret, 0o644);
    const found = await diagnose(checkout, ['--only', 'permissions']);
    expect(found.check('permissions')).toMatchObject({
      verdict: 'broken',
      detail: 'registry/auth/registry.password (0644) is open to every user of this machine',
    });
    expect(found.exitCode).toBe(1);
    const fixed = await diagnose(checkout, ['--fix', '--only', 'permissions']);
    expect(fixed.mended).toEqual([expect.objectContaining({ name: 'permissions', well: true })]);
    expect(fixed.exitCode).toBe(0);
    expect((await stat(secret)).mode & 0o777).toBe(0o600);
  });

  test('a part that does not run, which --fix starts', async () => {
    await checkout.compose('stop', 'registry', 'renewer');
    const only = ['--only', 'parts', '--only', 'renewer'];
    const found = await diagnose(checkout, only);
    expect(found.check('parts').detail).toMatch(/^registry has ended/);
    expect(found.check('renewer').detail).toMatch(/nobody renews the certificate/);
    expect(found.exitCode).toBe(1);
    const fixed = await diagnose(checkout, ['--fix', '--only', 'login', ...only]);
    expect(fixed.mended.map(({ name }) => name)).toEqual(['parts', 'renewer']);
    expect(fixed.check('parts').verdict).toBe('fine');
    expect(fixed.check('login').verdict).toBe('fine');
  });

  test('a setting that nobody has put into force yet', async () => {
    const found = await diagnose(checkout, ['--only', 'differences'], { AUTH_TTL: '5' });
    expect(found.check('differences')).toMatchObject({
      verdict: 'warning',
      detail: expect.stringContaining('gate runs with other settings: AUTH_TTL'),
      fix: 'npm run init-tls',
    });
  });

  test('a disk that is low: then nothing large is pushed', async () => {
    const found = await diagnose(checkout, ['--only', 'disk', '--only', 'push'], {
      DISK_RESERVE: '900000GiB',
    });
    expect(found.check('disk').verdict).toBe('broken');
    expect(found.check('push')).toMatchObject({
      verdict: 'skipped',
      detail: expect.stringMatching(/the disk is low/),
    });
  });

  test('rules of access that are wrong', async () => {
    const file = join(checkout.root, 'registry/auth/access.yaml');
    await writeFile(file, 'users: {admin: [emperor]}\n', { mode: 0o600 });
    const found = await diagnose(checkout, ['--only', 'access']);
    expect(found.check('access').detail).toMatch(/registry\/auth\/access\.yaml:1.*emperor/);
    await execa('rm', [file]);
  });

  test('an engine that is away', async () => {
    const found = await diagnose(checkout, ['--quick'], { DOCKER_HOST: 'unix:///nowhere.sock' });
    expect(found.check('engine')).toMatchObject({ verdict: 'broken', detail: 'no engine answers' });
    expect(found.check('login').verdict).toBe('fine');
    expect(found.exitCode).toBe(1);
  });

  test('settings that are none, and a registry that was never set up', async () => {
    const wrong = await diagnose(checkout, [], { HTTPS_PORT: 'many' });
    expect(wrong.check('settings').detail).toMatch(/^HTTPS_PORT: "many"/);
    const fresh = await Checkout.make();
    const never = await diagnose(fresh);
    expect(never.check('settings')).toMatchObject({ verdict: 'broken', fix: 'npm run init-tls' });
    expect(never.exitCode).toBe(1);
    expect(await readdir(fresh.root)).not.toContain('.env');
    await fresh.dispose();
  });
});

describe('somebody else on the port', () => {
  let server: Server;
  let port: string;

  beforeAll(async () => {
    const folder = join(checkout.root, 'var/test');
    await mkdir(folder, { recursive: true });
    const longAgo = { ...systemClock, now: () => new Date(Date.now() - 100 * 86_400_000) };
    const order = { names: ['localhost'], replaces: undefined };
    const { privateKey, chain } = await new LocalIssuer(folder, longAgo).issue(order, () => undefined);
    server = createServer({ cert: chain, key: privateKey });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = String((server.address() as AddressInfo).port);
  });

  afterAll(() => {
    server.close();
  });

  test('with an old certificate of his own is told from ours', async () => {
    const found = await diagnose(checkout, ['--only', 'served', '--only', 'ports'], { HTTPS_PORT: port });
    expect(found.check('served').verdict).toBe('broken');
    expect(found.check('served').detail).toMatch(/^localhost at 127\.0\.0\.1: it expired on .*\(by /);
    expect(found.check('ports').detail).toMatch(
      new RegExp(`port ${port} is taken by .*\\(process ${process.pid}\\)`),
    );
  });
});
