import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Checkout } from '../support/checkout.ts';
import { RemoteMachine } from '../support/remote-machine.ts';

const PROJECT = '/srv/my project';
const NAME = 'r.test';
const CA = '/tmp/its ca.crt';

/** The engine looks at /etc/hosts again after five seconds. */
const HOSTS_ARE_READ = { timeout: 30_000, interval: 500 };

let registry: Checkout;
let client: RemoteMachine;
/** Where the client finds the registry: the address of this machine on the bridge between them. */
let gateway: string;

beforeAll(async () => {
  const format = '{{(index .IPAM.Config 0).Gateway}}';
  gateway = (await execa('docker', ['network', 'inspect', 'bridge', '--format', format])).stdout;
  registry = await Checkout.make({ DOMAIN: NAME, BIND_ADDRESS: gateway });
  await registry.init();
  client = await RemoteMachine.boot('ready');
  const pristine = await Checkout.make();
  await client.machine.clone(pristine.root, PROJECT);
  await pristine.dispose();
  await client.machine.takePackages(PROJECT);
  await give(join(registry.root, 'var/ca/ca.crt'), CA);
});

afterAll(async () => {
  await Promise.all([client?.dispose(), registry?.dispose()]);
});

const authority = () => registry.authority;

async function give(file: string, to: string): Promise<void> {
  const content = await readFile(file, 'utf8');
  await client.machine.succeed(['sh', '-c', 'printf %s "$0" > "$1"', content, to]);
}

function trust(...args: readonly string[]) {
  return client.run(['npm', 'run', '--silent', 'trust', '--', ...args], PROJECT);
}

async function pull(): Promise<string> {
  return (await client.run(['docker', 'pull', `${authority()}/app:1`])).stderr;
}

async function everythingMade(): Promise<string> {
  const paths = '/etc/docker /etc/containers /usr/local/share/ca-certificates /srv/*/var/made.json';
  const files = await client.sh(
    `find ${paths} -type f 2>/dev/null; grep -v '^[0-9a-f.:]*.[0-9a-f]\\{12\\}$' /etc/hosts`,
  );
  return files.stdout;
}

test('for its own registry, localhost, there is nothing to do before init-tls; wrong input is told', async () => {
  expect(await trust()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('init-tls') });
  expect(await trust('https://r.test')).toMatchObject({ exitCode: 2 });
  expect(await trust(NAME, '--hosts', 'nowhere')).toMatchObject({ exitCode: 2 });
  expect(await trust(NAME, '--ca', '/none')).toMatchObject({ exitCode: 2 });
});

test('before, Docker refuses the registry; after one command it is answered', async () => {
  const before = await everythingMade();
  const args = [authority(), '--ca', CA];
  expect(await trust(...args)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('--hosts') });
  await trust(authority(), '--remove');
  expect(await everythingMade()).toBe(before);

  await client.sh(`echo "${gateway} ${NAME}" >> /etc/hosts`);
  await expect.poll(pull, HOSTS_ARE_READ).toMatch(/x509/);
  const { exitCode, stdout, stderr } = await trust(...args);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toMatch(/✓ Clients +\/etc\/docker\/certs\.d\/r\.test:\d+\/ca\.crt/);
  expect(stdout).toMatch(/Pull .*answered by the registry \(unauthorized\)/);
  expect(await pull()).toMatch(/no basic auth|unauthorized/);

  const again = await trust(...args, '--json');
  expect(JSON.parse(again.stdout)).toMatchObject({ registry: authority(), changed: false });
  expect((await trust(authority(), '--remove')).stdout).toMatch(/✓ Trust .*cleared/);
  expect((await trust(authority(), '--remove')).stdout).toMatch(/= Trust/);
  await expect.poll(pull, HOSTS_ARE_READ).toMatch(/x509/);
  await client.sh(`sed '$d' /etc/hosts > /tmp/hosts && cat /tmp/hosts > /etc/hosts`);
  expect(await everythingMade()).toBe(before);
});

test('with --hosts and --system a name that leads nowhere is found, and other programs trust it too', async () => {
  const before = await everythingMade();
  const byOpenssl = ['openssl', 's_client', '-connect', authority(), '-verify_return_error', '-brief'];
  const verify = async () => (await client.run(['sh', '-c', '"$@" </dev/null', 'sh', ...byOpenssl])).exitCode;
  expect(await verify()).not.toBe(0);
  const args = [authority(), '--ca', CA, '--system', '--hosts', gateway];
  expect(await trust(...args)).toMatchObject({ exitCode: 0 });
  expect(await verify()).toBe(0);
  expect(JSON.parse((await trust(...args, '--json')).stdout)).toMatchObject({ changed: false });
  // Killed between the file and the bundle that is made of it.
  await client.sh('sed -i "/BEGIN/,/END/d" /etc/ssl/certs/ca-certificates.crt');
  expect(await trust(...args)).toMatchObject({ exitCode: 0 });
  expect(await verify()).toBe(0);

  expect(await trust(authority(), '--remove')).toMatchObject({ exitCode: 0 });
  expect(await everythingMade()).toBe(before);
  expect((await client.sh(`echo "${gateway} ${NAME}" >> /etc/hosts`)).exitCode).toBe(0);
  expect(await verify()).not.toBe(0);
});

test('another registry’s CA is refused before anything is written', async () => {
  await client.sh(
    'openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -out /tmp/other.crt -subj /CN=other',
  );
  expect(await trust(authority(), '--ca', '/tmp/other.crt')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('Nothing was changed'),
  });
});

test('the script that the registry’s machine prints does it by the shell alone', async () => {
  const { exitCode, stdout } = await registry.command('trust', ['--print']);
  expect(exitCode).toBe(0);
  await expect.poll(pull, HOSTS_ARE_READ).toMatch(/x509/);
  await client.machine.succeed(['sh', '-c', 'printf "%s\\n" "$0" > /tmp/trust.sh', stdout]);
  await client.machine.succeed(['sh', '/tmp/trust.sh']);
  expect(await pull()).toMatch(/no basic auth|unauthorized/);
  const fingerprint = ['openssl', 'x509', '-in', CA, '-noout', '-sha256', '-fingerprint'];
  expect(stdout).toContain((await client.run(fingerprint)).stdout.split('=')[1]);
  await client.sh(`rm -r "/etc/docker/certs.d/${authority()}"`);
});

test('that script is for the clients alone: with --system it is refused', async () => {
  const { exitCode, stdout, stderr } = await registry.command('trust', ['--print', '--system']);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  expect(stderr).toContain('--system');
});

test('somebody who is not root is told the command', async () => {
  await client.sh(`chown -R ada "${PROJECT}"`);
  const command = `cd "${PROJECT}" && npm run --silent trust -- ${authority()} --ca "${CA}"`;
  const { exitCode, stderr } = await client.run(['su', 'ada', '-c', command]);
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(
      /sudo env "PATH=\$PATH" npm run trust -- r\.test:\d+ --ca '\/tmp\/its ca\.crt'/,
    ),
  });
});
