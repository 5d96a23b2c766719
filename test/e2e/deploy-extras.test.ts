import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureBuilt } from '../support/built-images.ts';
import { Checkout, type Ran } from '../support/checkout.ts';
import { RemoteMachine } from '../support/remote-machine.ts';
import { Tinyproxy } from '../support/tinyproxy.ts';

/** By a link, as where a disk is mounted elsewhere. */
const FOLDER = '/srv/disk/moorage';
const DROP_IN = '/etc/systemd/system/docker.service.d/moorage-proxy.conf';
/** With the password. */
const VARIABLES = '/etc/systemd/system/docker.service.d/moorage-proxy.env';
const NETWORK = `moorage-test-inside-${randomBytes(4).toString('hex')}`;

let machine: RemoteMachine;
let proxy: Tinyproxy;
let here: Checkout;
let folder: string;
let all: readonly string[];

/** A machine whose only way out is a proxy that wants a login, without rsync and without an image. */
beforeAll(async () => {
  for (const role of ['registry', 'nginx', 'node'] as const) await ensureBuilt(role);
  await execa('docker', ['network', 'create', '--internal', NETWORK]);
  const format = '{{(index .IPAM.Config 0).Gateway}}';
  const gateway = (await execa('docker', ['network', 'inspect', NETWORK, '--format', format])).stdout;
  proxy = await Tinyproxy.start(gateway);
  [machine, here] = await Promise.all([RemoteMachine.boot('systemd', { network: NETWORK }), Checkout.make()]);
  folder = await mkdtemp(join(tmpdir(), 'moorage-extras-'));
  const [settings, archive] = [join(folder, 'settings'), join(folder, 'images.tar')];
  const lines = [`DOMAIN=${machine.address}`, `HTTP_PROXY=${proxy.url}`, `HTTPS_PROXY=${proxy.url}`];
  await writeFile(settings, lines.join('\n'), { mode: 0o600 });
  expect(await here.command('images', ['save', archive])).toMatchObject({ exitCode: 0 });
  all = ['--settings', settings, '--images', archive, '--with', 'cacerts,proxy', '--system'];
  await machine.sh('dpkg --purge rsync; mkdir /mnt/disk; ln -s /mnt/disk /srv/disk');
});

afterAll(async () => {
  await machine?.dispose();
  await here?.dispose();
  await proxy?.stop();
  await execa('docker', ['network', 'rm', NETWORK], { reject: false });
  await rm(folder, { recursive: true, force: true });
});

const deploy = (...args: readonly string[]): Promise<Ran> =>
  here.command('deploy', [`ada@${machine.address}`, '--dir', FOLDER, ...args], { env: machine.env });

test('that Docker has to be restarted is told, and nothing is done without consent', async () => {
  const checked = await deploy(...all, '--check');
  expect(checked).toMatchObject({ exitCode: 0 });
  expect(checked.stdout).toMatch(/✓ Proxy .*restarted/);
  expect(checked.stdout).toMatch(/✓ Archive +would be copied\n✓ Trust /);
  const { exitCode, stderr } = await deploy(...all);
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/npm run proxy -- --yes/),
  });
  expect((await machine.sh(`ls ${DROP_IN} ${FOLDER}; command -v rsync`)).stdout).toBe('');
});

test('by a proxy alone, from an archive, with trust: a registry, and the proxy’s password in nobody’s argv', async () => {
  // Left out by its class, so that this search is not what it finds.
  await machine.sh(
    'setsid sh -c \'while sleep 0.1; do cat /proc/[0-9]*/cmdline | tr "\\0" " " | grep -a "s%65cre[t]" >> /tmp/seen; done\' >/dev/null 2>&1 </dev/null &',
  );
  await machine.sh('until test -s /tmp/seen; do sleep 0.1; done # s%65cret'); // it does find what there is
  const { exitCode, stdout, stderr } = await deploy(...all, '--yes');
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stdout).toMatch(/✓ Programs .*rsync/);
  expect(stdout).toMatch(/✓ Proxy .*Docker restarted/);
  expect(stdout).toMatch(/✓ Archive +\d+ MiB copied/);
  expect(stdout).toMatch(/✓ Trust .*certs\.d.*ca-certificates.*pushed and pulled sha256:\w+ by docker/s);
  expect(stdout).toMatch(/✓ Doctor /);
  expect(stdout + stderr).not.toContain('s%65cret');
  expect((await machine.run(['grep', '-v', 'until test', '/tmp/seen'])).stdout).toBe('');
  expect((await machine.sh(`stat -c %a ${VARIABLES} ${FOLDER}/.env ${FOLDER}/var/images.tar`)).stdout).toBe(
    '600\n600\n600',
  );
});

test('the same again changes nothing, asks nobody, and would change nothing', async () => {
  const { exitCode, stdout } = await deploy(...all);
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.not.stringContaining('✓') });
  const checked = await deploy(...all, '--check');
  expect(checked).toMatchObject({ exitCode: 0, stdout: expect.not.stringContaining('✓') });
});

test('taking it off is agreed to first, and can be looked at; then trust and drop-in are gone, too', async () => {
  const before = (await machine.run(['docker', 'ps', '-q'])).stdout;
  const purge = ['--purge', machine.address];
  const checked = await deploy('--uninstall', ...purge, '--check');
  expect(checked).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/nothing was changed[\s\S]*This goes/),
  });
  expect(await deploy('--uninstall')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('--yes'),
  });
  expect((await machine.run(['docker', 'ps', '-q'])).stdout).toBe(before);
  expect(await deploy('--uninstall', '--yes')).toMatchObject({ exitCode: 0 });
  const left = `find ${DROP_IN} ${VARIABLES} /etc/docker/certs.d /usr/local/share/ca-certificates -type f; docker ps -aq`;
  expect((await machine.sh(left)).stdout).toBe('');
});
