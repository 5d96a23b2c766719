import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parseDestination } from '../../src/remote/destination.ts';
import { SshHost } from '../../src/remote/ssh.ts';
import { type Run, run } from '../../src/system/processes.ts';
import { RemoteMachine } from '../support/remote-machine.ts';

let machine: RemoteMachine;
let folder: string;

beforeAll(async () => {
  machine = await RemoteMachine.boot('ready');
  folder = await mkdtemp(join(tmpdir(), 'moorage copied-'));
});

afterAll(async () => {
  await machine.dispose();
  await rm(folder, { recursive: true, force: true });
});

/** By the client's configuration that the tests have. */
const asClient: Run = (program, args, options = {}) =>
  run(program, args, { ...options, env: { ...options.env, ...machine.env } });

function open(login: string) {
  const destination = parseDestination(login);
  if (typeof destination === 'string') throw new Error(destination);
  return SshHost.open(destination, { run: asClient, interactive: false });
}

test.each(['root', 'ada'])('%s runs commands as root, each word arriving as it is', async (user) => {
  const host = await open(`${user}@${machine.address}`);
  expect((await host.run(['id', '-u'])).stdout).toBe('0');
  const odd = `it's "$HOME" \`id\` * \n\\`;
  expect((await host.run(['printf', '%s', odd], { cwd: '/tmp' })).stdout).toBe(odd);
  expect(await host.run(['sh', '-c', 'cat; exit 3'], { input: 'secret' })).toMatchObject({
    exitCode: 3,
    stdout: 'secret',
  });
  await host.close();
});

test('a command that is fed goes on until there is no more, and no longer', async () => {
  const host = await open(`ada@${machine.address}`);
  const heard: string[] = [];
  async function* answers() {
    yield 'one\n';
    await vi.waitUntil(() => heard.length === 1);
    yield 'two\n';
  }
  const { exitCode } = await host.run(['cat'], { feed: answers(), onLine: (line) => heard.push(line) });
  expect({ exitCode, heard }).toEqual({ exitCode: 0, heard: ['one', 'two'] });
  async function* endless() {
    yield 'one\n';
    await new Promise(() => undefined);
  }
  expect(await host.run(['sh', '-c', 'read line; exit 4'], { feed: endless() })).toMatchObject({
    exitCode: 4,
  });
  await host.close();
});

test.each(['root', 'ada'])('%s copies files as root by rsync, into a folder with a blank', async (user) => {
  await writeFile(join(folder, 'it’s a file'), 'content');
  const host = await open(`${user}@${machine.address}`);
  const { exitCode, stderr } = await host.rsync((far) => [
    '--archive',
    `${folder}/`,
    far(`/srv/a folder of ${user}/`),
  ]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect((await machine.run(['cat', `/srv/a folder of ${user}/it’s a file`])).stdout).toBe('content');
  await host.close();
});

test.each([
  ['a machine that is off', 'root@192.0.2.1', 'host-unreachable'],
  ['a port where nobody listens', 'root@127.0.0.1:9', 'host-unreachable'],
  ['a name that there is not', 'root@nowhere.invalid', 'host-unreachable'],
  ['a user without a key there', 'nobody@MACHINE', 'login-refused'],
  ['a user without sudo', 'eve@MACHINE', 'sudo-needed'],
])('%s is told apart', async (_, login, code) => {
  await machine.sh(
    'id eve 2>/dev/null || { useradd -m eve && cp -r ~root/.ssh ~eve/ && chown -R eve ~eve/.ssh; }',
  );
  await expect(open(login.replace('MACHINE', machine.address))).rejects.toMatchObject({ code });
});

test('a changed host key stops it before anything is sent', async () => {
  const known = join(machine.folder, 'known_hosts');
  const before = await readFile(known, 'utf8');
  const other = (await machine.sh('ssh-keygen -q -t ed25519 -N "" -f /tmp/other; cat /tmp/other.pub')).stdout;
  const key = other.split(' ')[1] ?? '';
  await writeFile(known, `${machine.address} ssh-ed25519 ${key}\n`);
  await expect(open(machine.login)).rejects.toMatchObject({ code: 'host-key-changed' });
  await writeFile(known, before);
});
