import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { withVisitor } from '../../src/deploy/visitor.ts';
import type { Told } from '../../src/doctor/check.ts';
import { examineFromOutside } from '../../src/doctor/outside/examine.ts';
import type { RemoteHost } from '../../src/remote/host.ts';
import { systemClock } from '../../src/system/clock.ts';
import { withLock } from '../../src/system/lock.ts';
import { run } from '../../src/system/processes.ts';
import { Checkout } from '../support/checkout.ts';
import { type Diagnosis, diagnose } from '../support/doctor.ts';
import { RegistryCalls } from '../support/registry-calls.ts';
import { makeTestCa } from '../support/test-ca.ts';

// The registry in one checkout, and whoever asks for it in another one that was never set up.

const NAME = 'registry.test';
const SILENT: Told = { waiting: () => undefined, found: () => undefined };

let there: Checkout;
let here: Checkout;
let ca: string;
let password: string;
let port: string;

beforeAll(async () => {
  there = await Checkout.make({ EXTRA_DOMAINS: NAME });
  here = await Checkout.make();
  password = (await there.init()).firstUser?.password ?? '';
  ca = join(there.root, 'var/ca/ca.crt');
  port = there.env.HTTPS_PORT ?? '';
});

afterAll(async () => {
  await there.dispose();
  await here.dispose();
});

const images = (path: string) => join(there.root, 'registry/data/docker/registry/v2', path);
const blobs = async () => {
  const names = await readdir(images('blobs/sha256'), { recursive: true });
  const files = await Promise.all(names.map((name) => stat(images(join('blobs/sha256', name)))));
  return files.filter((file) => file.isFile() && file.size > 100_000).length;
};
const users = () => readFile(join(there.root, 'registry/auth/registry.password'), 'utf8');

/** As `npm run doctor -- --at` on a machine without an engine. */
function ask(args: readonly string[], typed = password): Promise<Diagnosis> {
  const nowhere = { DOCKER_HOST: 'unix:///nowhere.sock' };
  return diagnose(here, args, nowhere, typed);
}
const at = (name = 'localhost') => ['--at', `${name}:${port}`];
const ADMIN = ['--user', 'admin', '--password-stdin'];

describe('over SSH, by a login that the machine makes for it', () => {
  /** The same process on the same machine: what SSH does to it says the test of remote hosts. */
  const host: RemoteHost = {
    name: 'root@there',
    address: '127.0.0.1',
    run: ([program = '', ...args], { cwd, ...options } = {}) =>
      run(program, args, { ...options, env: there.env, ...(cwd === undefined ? {} : { cwd }) }),
    rsync: () => Promise.reject(new Error('not wanted')),
    close: async () => undefined,
  };

  test('everything is fine, and nothing is left of it', async () => {
    const { value, left } = await withVisitor(host, there.root, (visitor) =>
      examineFromOutside({ ...visitor, clock: systemClock, quick: false, only: [] }, SILENT),
    );
    const unwell = value.filter(({ finding }) => !['fine', 'skipped'].includes(finding.verdict));
    expect({ unwell, left }).toEqual({ unwell: [], left: undefined });
    const told = new Map(value.map(({ name, finding }) => [name, finding]));
    expect(told.get('http')).toMatchObject({
      detail: expect.stringMatching(/leads on to https:\/\/localhost/),
    });
    expect(told.get('push')?.detail).toMatch(/^128 MiB in one piece/);
    expect(await readdir(images('repositories/moorage'))).toEqual(['proof']);
    expect(await blobs()).toBe(0);
    expect(await users()).not.toContain('moorage-doctor');
  });

  test('the login is gone as well when the visit fails', async () => {
    const failing = withVisitor(host, there.root, async ({ login }) => {
      expect(await users()).toContain(`${login?.credentials.user}:`);
      throw new Error('the line is dead');
    });
    await expect(failing).rejects.toThrow('the line is dead');
    expect(await users()).not.toContain('moorage-doctor');
  });

  test('a doctor that is at work there is waited for, and that is said', async () => {
    const told: string[] = [];
    let finish: () => void = () => undefined;
    const busy = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const lock = join(there.root, 'var/locks/doctor');
    const working = withLock(lock, 'npm run doctor', systemClock, () => busy);
    const work = async ({ login }: { login?: unknown }) => login !== undefined;
    const visiting = withVisitor(host, there.root, work, (line) => {
      told.push(line);
      finish();
    });
    await working;
    expect((await visiting).value).toBe(true);
    expect(told).toEqual([expect.stringMatching(/^waiting: npm run doctor is running \(process \d+/)]);
  });

  test('a machine where nothing was set up says so', async () => {
    const nothing = withVisitor(host, here.root, async () => undefined);
    await expect(nothing).rejects.toMatchObject({
      code: 'visitor-refused',
      message: expect.stringContaining('root@there lets no visitor in: There is no registry here yet'),
    });
  });
});

describe('by a person', () => {
  test('who has the CA and a login, everything is fine, and it is said what is left', async () => {
    const found = await ask([...at(), '--ca', ca, ...ADMIN]);
    expect(found.unwell).toEqual([]);
    expect(found.exitCode).toBe(0);
    for (const name of ['push', 'chunks', 'slow-push', 'pull', 'delete', 'location'])
      expect([name, found.check(name).verdict]).toEqual([name, 'fine']);
    expect(found.check('leavings').detail).toMatch(/^moorage\/doctor is empty again; .* npm run gc$/);
    expect(await there.command('gc')).toMatchObject({ exitCode: 0 });
    expect(await blobs()).toBe(0);
    expect(await readdir(here.root)).not.toContain('.env');
  });

  test('who has no login, what needs one is left out', async () => {
    const found = await ask([...at(), '--ca', ca, '--quick']);
    expect(found.check('login').verdict).toBe('fine');
    expect(found.check('pull')).toMatchObject({
      verdict: 'skipped',
      detail: 'there is no login: --user NAME',
    });
    expect(found.exitCode).toBe(0);
  });

  test('whose password is wrong', async () => {
    const found = await ask([...at(), '--ca', ca, '--quick', ...ADMIN], 'wrong');
    expect(found.check('login')).toMatchObject({
      verdict: 'broken',
      detail: `https://localhost:${port} refuses this name and password`,
    });
    expect(found.check('pull').verdict).toBe('skipped');
    expect(found.exitCode).toBe(1);
  });

  test('who may not push there is told which option says where he may', async () => {
    const access = join(there.root, 'registry/auth/access.yaml');
    await writeFile(access, 'users: {admin: [pull, push:team/**]}\n', { mode: 0o600 });
    const location = async (...args: string[]) =>
      (await ask([...at(), '--ca', ca, ...ADMIN, '--only', 'location', ...args])).check('location');
    await vi.waitUntil(async () => (await location()).verdict === 'broken', { timeout: 20_000 });
    expect((await location()).fix).toContain('--repository NAME');
    const found = await ask([...at(), '--ca', ca, ...ADMIN, '--quick', '--repository', 'team/probe']);
    expect(found.check('pull').verdict).toBe('fine');
    expect(found.check('delete')).toMatchObject({ verdict: 'skipped', detail: 'this user may not delete' });
    expect(found.check('leavings').verdict).toBe('warning');
  });

  test('who trusts no CA, or another one, sends no password', async () => {
    const secret = 'of somebody careful';
    await there.command('user', ['add', 'careful', '--password-stdin'], { input: secret });
    const folder = join(here.root, 'var/test');
    await mkdir(folder, { recursive: true });
    const { trust } = await makeTestCa(folder);
    const login = ['--user', 'careful', '--password-stdin', '--quick'];
    const answers = { 'clients here refuse it': [], 'not by the CA that was given': ['--ca', trust] };
    for (const [said, ca] of Object.entries(answers)) {
      const found = await ask([...at(), ...ca, ...login], secret);
      expect(found.check('served')).toMatchObject({
        verdict: 'broken',
        detail: expect.stringContaining(said),
      });
      expect(found.check('pull').detail).toMatch(/^no password is sent there/);
      expect(found.exitCode).toBe(1);
    }
    // nginx writes its log a second later.
    await new RegistryCalls(there).ask('GET', '/v2/the/end/tags/list');
    const log = async () => (await there.compose('logs', 'nginx')).stdout;
    await vi.waitUntil(async () => (await log()).includes('/v2/the/end/'), { timeout: 20_000 });
    expect(await log()).not.toContain('"user":"careful"');
    expect((await ask([...at(), '--ca', ca, ...login, '--only', 'login'], secret)).exitCode).toBe(0);
    await vi.waitUntil(async () => (await log()).includes('"user":"careful"'), { timeout: 20_000 });
  });

  test('who has the machine’s address where its name leads nowhere yet', async () => {
    const found = await ask([...at(NAME), '--address', '127.0.0.1', '--ca', ca, '--quick']);
    expect(found.check('dns')).toMatchObject({
      verdict: 'warning',
      detail: `${NAME} leads nowhere from here; asked at 127.0.0.1`,
    });
    expect(found.check('login').verdict).toBe('fine');
    const lost = await ask([...at(NAME), '--ca', ca, '--quick']);
    expect(lost.check('dns').verdict).toBe('broken');
  });

  test.each([
    [['--at', 'http://localhost'], /--at http:\/\/localhost: is without TLS/],
    [['--at', 'localhost', '--ca', '/nowhere.crt'], /--ca \/nowhere\.crt: is no certificate: /],
    [['--at', 'localhost', '--user', 'ada'], /there is no terminal.*--password-stdin/],
    [['--at', 'localhost', '--only', 'disk'], /disk: is no check from another machine/],
    [['--ca', 'x'], /--ca: needs --at/],
  ])('%j is refused', async (args, said) => {
    const { exitCode, stderr } = await here.command('doctor', args);
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(said)]);
  });
});
