import { afterAll, beforeAll, expect, test } from 'vitest';
import { BareMachine } from '../support/bare-machine.ts';
import { Checkout, type Ran } from '../support/checkout.ts';

const PROJECT = '/srv/50% my "registry"';
const UNIT = 'moorage-renewer.service';

let machine: BareMachine;

/** A machine where systemd runs, with a stack in a checkout that belongs to ada, who may use the engine. */
beforeAll(async () => {
  const checkout = await Checkout.make();
  machine = await BareMachine.bootWithSystemd();
  await machine.clone(checkout.root, PROJECT);
  await checkout.dispose();
  expect(await npm('init-tls', '--yes')).toMatchObject({ exitCode: 0 });
  await sh('useradd --create-home --groups docker ada && chown -R ada:ada .');
});

afterAll(() => machine.dispose());

const npm = (...args: string[]) =>
  machine.run(['npm', 'run', '--silent', args[0] ?? '', '--', ...args.slice(1)], PROJECT);
const asAda = (...args: string[]) =>
  machine.run(
    ['runuser', '-u', 'ada', '--', 'npm', 'run', '--silent', args[0] ?? '', '--', ...args.slice(1)],
    PROJECT,
  );
const sh = (script: string): Promise<Ran> => machine.run(['sh', '-c', script], PROJECT);
const set = (name: string, value: string) => sh(`sed -i 's|^#*${name}=.*|${name}=${value}|' .env`);
const parts = async () => (await sh('docker compose ps --all --services')).stdout.split('\n').sort();
const log = async () => (await sh(`journalctl --unit ${UNIT} --output cat`)).stdout;

test('somebody who is not root is told the command', async () => {
  expect(await asAda('daemon', '--install')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('Run: sudo env "PATH=$PATH" npm run daemon -- --install'),
  });
});

test('settings of the shell alone are refused: a service would not see them', async () => {
  const command = ['env', 'DOMAIN=r.example', 'npm', 'run', '--silent', 'daemon', '--', '--install'];
  expect(await machine.run(command, PROJECT)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('DOMAIN: is set by the environment'),
  });
});

test('a daemon that does not stay up is taken away again, and the container goes on', async () => {
  await sh(
    'mv scripts/daemon.ts daemon.ts && (echo "if (!process.argv[2]) process.exit(3);"; cat daemon.ts) > scripts/daemon.ts',
  );
  const { exitCode, stderr } = await npm('daemon', '--install');
  await sh('mv daemon.ts scripts/daemon.ts');
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('does not stay up'),
  });
  expect((await sh(`systemctl cat ${UNIT}`)).exitCode).not.toBe(0);
  expect((await sh('grep RENEWER_REPLICAS .env')).exitCode).toBe(1);
  expect(await parts()).toContain('renewer');
});

test('installed, the daemon runs as the owner of the checkout, and the container is gone', async () => {
  const { exitCode, stdout, stderr } = await npm('daemon', '--install');
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stdout).toMatch(/✓ Unit +moorage-renewer\.service installed and active/);
  expect((await sh(`systemctl is-active ${UNIT} && systemctl is-enabled ${UNIT}`)).stdout).toBe(
    'active\nenabled',
  );
  const pid = (await sh(`systemctl show --property MainPID --value ${UNIT}`)).stdout;
  expect((await sh(`stat --format %U /proc/${pid}`)).stdout).toBe('ada');
  expect((await sh('stat --format "%U %a" .env')).stdout).toBe('ada 600');
  expect(await parts()).toEqual(['gate', 'nginx', 'registry']);
});

test('systemd finds nothing to complain about in the unit', async () => {
  expect(await sh(`systemd-analyze verify /etc/systemd/system/${UNIT}`)).toEqual({
    exitCode: 0,
    stdout: '',
    stderr: '',
  });
});

test('installed again, nothing changes; Compose leaves the container off', async () => {
  const { stdout } = await npm('daemon', '--install');
  expect(stdout).toMatch(/^= Unit .*\n= Container .*$/);
  await sh('docker compose up --detach');
  expect(await parts()).toEqual(['gate', 'nginx', 'registry']);
});

test('for changed settings it is started anew, and within its bounds it gets a certificate that nginx serves', async () => {
  await set('EXTRA_DOMAINS', 'other.localhost');
  expect((await npm('daemon', '--install')).stdout).toMatch(/✓ Unit +.* started anew and active/);
  await expect.poll(log, { timeout: 60_000, interval: 500 }).toMatch(/certificate by Moorage local CA/);
  expect((await sh('stat --format "%U %a" var/tls/current/privkey.pem')).stdout).toBe('ada 600');
});

test('after a change of settings init-tls says what root has to run, until that was done', async () => {
  await set('EXTRA_DOMAINS', 'other.localhost,third.localhost');
  const { exitCode, stdout, stderr } = await asAda('init-tls');
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stdout).toMatch(/= Unit +.* is behind the settings; run sudo env .*--install/);
  expect(await npm('daemon', '--install')).toMatchObject({ exitCode: 0 });
  expect(await log()).toContain('keeping the certificate for localhost, other.localhost, third.localhost');
  expect((await asAda('init-tls')).stdout).toMatch(/\(nothing changed\)/);
});

test('with certbot, and only then, it may use the engine', async () => {
  const pid = async () => (await sh(`systemctl show --property MainPID --value ${UNIT}`)).stdout;
  const inside = async (script: string) =>
    sh(
      `nsenter --target ${await pid()} --mount --setuid=$(id -u ada) --setgid=$(getent group docker | cut -d: -f3) ${script}`,
    );
  await set('EXTRA_DOMAINS', '');
  expect(await npm('daemon', '--install')).toMatchObject({ exitCode: 0 });
  expect((await inside('test -w /run/docker.sock')).exitCode).toBe(1);
  await set('DOMAIN', 'registry.moorage.example');
  await set('TLS_ISSUER', 'certbot');
  await set('ACME_DIRECTORY', 'https://127.0.0.1:1/dir');
  expect(await npm('daemon', '--install')).toMatchObject({ exitCode: 0 });
  expect((await inside('test -w /run/docker.sock')).exitCode).toBe(0);
  // The engine answered: it is asked for nginx first, and then for an image that this machine does not have.
  await expect.poll(log, { timeout: 60_000, interval: 500 }).toMatch(/failed: .*No such image/s);
});

test('uninstalled, nothing of it is left and the container runs again; twice is fine', async () => {
  expect(await npm('daemon', '--uninstall')).toMatchObject({ exitCode: 0 });
  expect((await sh('ls /etc/systemd/system /run | grep renewer; grep RENEWER_REPLICAS .env')).stdout).toBe(
    '',
  );
  expect(await parts()).toEqual(['gate', 'nginx', 'registry', 'renewer']);
  const again = await npm('daemon', '--uninstall');
  expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^= Unit .*= Container/s) });
});
