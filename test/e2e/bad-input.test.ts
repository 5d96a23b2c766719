import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, cp, mkdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ensureBuilt } from '../support/built-images.ts';
import { Checkout, freePort, startOf } from '../support/checkout.ts';
import { listen } from '../support/listening.ts';

let checkout: Checkout;
const cleanUp: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  await ensureBuilt('nginx');
  checkout = await Checkout.make();
});

afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

afterAll(() => checkout.dispose());

const init = (env: Record<string, string> = {}) => checkout.command('init-tls', ['--yes'], { env });

test('wrong settings: exit 2, each named with what would be right, and nothing has changed', async () => {
  const { exitCode, stderr } = await init({
    DOMAIN: 'https://r.example',
    HTTP_PORT: 'http',
    IMAGES: 'maybe',
  });
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/DOMAIN: "https:\/\/r.example" is a URL/);
  expect(stderr).toMatch(/HTTP_PORT: "http" is not a port/);
  expect(stderr).toMatch(/IMAGES: "maybe" must be one of auto, pull, build/);
  expect(existsSync(join(checkout.root, '.env'))).toBe(false);
});

test.each([['--frobnicate'], ['--user', 'a:b'], ['--user', '']])(
  'wrong arguments: exit 2 (%s %s)',
  async (...args) => {
    const { exitCode, stderr } = await checkout.command('init-tls', ['--yes', ...args]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/\S/) });
  },
);

test('every command explains itself with --help', async () => {
  for (const name of ['init-tls', 'renew', 'daemon', 'user']) {
    const { exitCode, stdout } = await checkout.command(name, ['--help']);
    expect({ name, exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`Usage: npm run ${name} -- `),
    });
  }
});

test('a port that a program has: exit 1, naming the program', async () => {
  const port = await takenPort();
  const { exitCode, stderr } = await init({ HTTP_PORT: String(port) });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(new RegExp(`Port ${port} is taken by .*\\(process ${process.pid}\\)`));
  expect(stderr).toContain('HTTP_PORT');
});

test('a port that another container has: exit 1, naming the container', async () => {
  const port = await freePort();
  const name = `${checkout.project}-squatter`;
  const publish = ['--publish', `127.0.0.1:${port}:80`];
  await execa('docker', [
    'run',
    '--detach',
    '--name',
    name,
    ...publish,
    'moorage/base:trixie',
    'sleep',
    '600',
  ]);
  cleanUp.push(() => execa('docker', ['rm', '-f', name]));
  const { exitCode, stderr } = await init({ HTTPS_PORT: String(port) });
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining(`the container ${name}`),
  });
});

test('an engine that does not answer: exit 1, naming where; nothing is installed', async () => {
  const { exitCode, stderr } = await init({ DOCKER_HOST: 'unix:///nowhere/docker.sock' });
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('/nowhere/docker.sock'),
  });
});

test('an engine that one may not use: exit 1, naming the group to join', async () => {
  const { dockerHost, root } = await asNobody();
  const command = ['node', ...startOf('init-tls', '--yes')];
  const { exitCode, stderr } = await execa(
    'setpriv',
    ['--reuid=65534', '--regid=65534', '--clear-groups', ...command],
    {
      cwd: root,
      env: { ...checkout.env, DOCKER_HOST: dockerHost },
      reject: false,
    },
  );
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('docker group'),
  });
});

test('a disk with too little room for the images: exit 1 before anything is started', async () => {
  const data = await smallDisk('16m');
  const { exitCode, stderr } = await init({ REGISTRY_DATA_DIR: data });
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/Only \d+ MiB are free/),
  });
});

test('a disk that fills up on the way: exit 1 in plain words, and a later run completes', async () => {
  const root = await smallDisk('230m');
  await copyWithoutPackages(checkout.root, root);
  await mkdir(join(root, 'var'), { recursive: true });
  const filler = join(root, 'filler');
  await execa('sh', ['-c', 'head -c 20m /dev/zero > "$0"', filler]);
  const full = execa(
    'sh',
    ['-c', 'while [ ! -e "$0/var/locks" ]; do :; done; cat /dev/zero > "$1"', root, filler],
    { reject: false },
  );
  const run = () =>
    execa('npm', ['run', '--silent', 'init-tls', '--', '--yes'], {
      cwd: root,
      env: { ...checkout.env, DISK_RESERVE: '10MB' },
      reject: false,
    });
  const { exitCode, stderr } = await run();
  await full;
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/disk is full|MiB are free/),
  });
  await execa('rm', [filler]);
  expect(await run()).toMatchObject({ exitCode: 0 });
  await execa('docker', ['compose', 'down', '--timeout', '2'], { cwd: root, env: checkout.env });
});

test('a checkout that can’t be written to: exit 1 in plain words', async () => {
  const root = join(dirname(checkout.root), 'read only');
  await mkdir(root);
  await execa('mount', ['--bind', checkout.root, root]);
  cleanUp.push(() => execa('umount', [root]));
  await execa('mount', ['-o', 'remount,bind,ro', root]);
  const command = startOf('init-tls', '--yes');
  const { exitCode, stderr } = await execa('node', command, { cwd: root, env: checkout.env, reject: false });
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/read-only|written to/),
  });
});

test('a public name that does not resolve: exit 1 before the CA is asked', async () => {
  const env = { DOMAIN: 'registry.does-not-resolve.example', TLS_ISSUER: 'certbot' };
  const { exitCode, stderr } = await init(env);
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/registry\.does-not-resolve\.example .*resolve/),
  });
});

test('two at once: the second is told who runs', async () => {
  const one = init();
  const locks = join(checkout.root, 'var/locks/init-tls');
  await expect.poll(() => existsSync(locks), { timeout: 30_000, interval: 10 }).toBe(true);
  const { pid } = JSON.parse(await readFile(locks, 'utf8'));
  const second = await init();
  expect(second.exitCode).toBe(1);
  expect(second.stderr).toContain(`npm run init-tls is running (process ${pid}`);
  expect(await one).toMatchObject({ exitCode: 0 });
});

test('a users file with another hash than bcrypt is refused by file and line, and stays as it is', async () => {
  const file = join(checkout.root, 'registry/auth/registry.password');
  const text = `${await readFile(file, 'utf8')}old:$apr1$abc$def\n`;
  await writeFile(file, text);
  const { exitCode, stderr } = await checkout.command('user', ['add', 'new', '--generate']);
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/registry\.password:2.*old.*bcrypt/),
  });
  expect(await readFile(file, 'utf8')).toBe(text);
});

async function takenPort(): Promise<number> {
  const server = createServer();
  cleanUp.push(async () => server.close());
  return listen(server);
}

async function smallDisk(size: string): Promise<string> {
  const folder = join(dirname(checkout.root), `disk ${size}`);
  await mkdir(folder, { recursive: true });
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', folder]);
  cleanUp.push(() => execa('umount', ['-l', folder]));
  return folder;
}

/** Packages are shared: a link, as in every checkout of the tests. */
async function copyWithoutPackages(from: string, to: string): Promise<void> {
  const filter = (path: string) => path !== join(from, 'node_modules');
  await cp(from, to, { recursive: true, preserveTimestamps: true, filter });
  await symlink(await realpath(join(from, 'node_modules')), join(to, 'node_modules'));
}

/** A checkout that belongs to nobody(65534), and an engine socket that does not. */
async function asNobody(): Promise<{ dockerHost: string; root: string }> {
  const folder = join(dirname(checkout.root), 'nobody');
  const root = join(folder, 'registry');
  await copyWithoutPackages(checkout.root, root);
  await execa('chmod', ['755', dirname(checkout.root), folder]);
  await execa('chown', ['-R', '65534:65534', root]);
  const socket = join(folder, 'docker.sock');
  const server = createServer().listen(socket);
  await once(server, 'listening');
  await execa('chmod', ['600', socket]);
  await chown(socket, 0, 0);
  cleanUp.push(async () => server.close());
  return { dockerHost: `unix://${socket}`, root };
}
