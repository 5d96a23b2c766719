import { randomBytes } from 'node:crypto';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureBuilt } from '../support/built-images.ts';
import { Checkout } from '../support/checkout.ts';
import { RemoteMachine } from '../support/remote-machine.ts';
import { Tinyproxy } from '../support/tinyproxy.ts';

const PROJECT = '/srv/my registry';
const DROP_IN = '/etc/systemd/system/docker.service.d/moorage-proxy.conf';
/** With the password. */
const VARIABLES = '/etc/systemd/system/docker.service.d/moorage-proxy.env';
const NETWORK = `moorage-test-inside-${randomBytes(4).toString('hex')}`;

let machine: RemoteMachine;
let proxy: Tinyproxy;

/** A machine whose only way out is a proxy on the other end of its network. */
beforeAll(async () => {
  for (const role of ['registry', 'nginx', 'node'] as const) await ensureBuilt(role);
  await execa('docker', ['network', 'create', '--internal', NETWORK]);
  const format = '{{(index .IPAM.Config 0).Gateway}}';
  const gateway = (await execa('docker', ['network', 'inspect', NETWORK, '--format', format])).stdout;
  proxy = await Tinyproxy.start(gateway);
  machine = await RemoteMachine.boot('systemd', { network: NETWORK });
  await machine.takeImages(
    'moorage/base:trixie',
    'moorage/registry:2.8',
    'moorage/nginx:1.26',
    'moorage/node:20',
  );
  const pristine = await Checkout.make();
  await machine.machine.clone(pristine.root, PROJECT);
  await pristine.dispose();
  const settings = [
    'DOMAIN=r.test',
    'IMAGES=build',
    `HTTP_PROXY=${proxy.url}`,
    `HTTPS_PROXY=${proxy.url}`,
    'NO_PROXY=.corp.test',
  ];
  await machine.machine.succeed(['sh', '-c', `printf '%s\\n' "$0" > "${PROJECT}/.env"`, settings.join('\n')]);
});

afterAll(async () => {
  await machine?.dispose();
  await proxy?.stop();
  await execa('docker', ['network', 'rm', NETWORK], { reject: false });
});

function npm(name: string, ...args: readonly string[]) {
  return machine.run(['npm', 'run', '--silent', name, '--', ...args], PROJECT);
}

async function shown(): Promise<string> {
  const format = '{{.HTTPProxy}} {{.HTTPSProxy}} {{.NoProxy}}';
  return (await machine.run(['docker', 'info', '--format', format])).stdout;
}

test('Node packages come by the proxy of .env, with its login, and a restart needs consent', async () => {
  const { exitCode, stderr } = await npm('proxy');
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/--yes.*restarted/),
  });
  expect(await proxy.asked()).toContain('registry.npmjs.org');
  expect((await machine.run(['test', '-e', DROP_IN])).exitCode).toBe(1);
});

test('Docker goes out by the proxy, and only for names outside', async () => {
  const { exitCode, stdout, stderr } = await npm('proxy', '--yes');
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stdout + stderr).not.toContain('s%65cret');
  expect((await machine.run(['stat', '-c', '%a', VARIABLES])).stdout).toBe('600');
  const address = machine.address;
  expect(await shown()).toMatch(
    new RegExp(
      `^(\\S+@${proxy.shown.slice(7)} ){2}\\.corp\\.test,localhost,127\\.0\\.0\\.1,::1,r\\.test,${address},172\\.17\\.0\\.0/16$`,
    ),
  );
  expect((await npm('proxy')).stdout).toMatch(/= Proxy/);

  await machine.run(['docker', 'pull', 'hello-world']);
  expect(await proxy.asked()).toContain('registry-1.docker.io:443');
});

test('init-tls works there, and this machine’s engine pushes and pulls past the proxy', async () => {
  await machine.sh(`echo "${machine.address} r.test" >> /etc/hosts`); // there is no DNS to ask
  const ran = await npm('init-tls', '--yes');
  expect({ exitCode: ran.exitCode, stderr: ran.stderr }).toMatchObject({ exitCode: 0 });
  expect(ran.stdout).toMatch(/Trust +npm run trust/);
  const { exitCode, stdout, stderr } = await npm('trust');
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stdout).toMatch(/Pull +pushed and pulled sha256:\w+ by docker/);
  expect(await proxy.asked()).not.toContain('r.test');
  expect((await npm('trust')).stdout).toMatch(/= Clients/);
});

test('what a command has to install comes by the proxy', async () => {
  const { exitCode, stderr } = await npm('backup', '/srv/backup', '--yes');
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(await proxy.asked()).toContain('deb.debian.org');
});

test('when the settings change the stack comes back after the restart; removed, nothing is left', async () => {
  await machine.sh('sed -i "s/^NO_PROXY=.*/NO_PROXY=.other.test/" .env', PROJECT);
  expect((await npm('proxy', '--yes')).stdout).toMatch(/✓ Proxy .*Docker restarted/);
  expect(await shown()).toContain('.other.test,localhost');
  const running = await machine.run(['docker', 'ps', '--format', '{{.Names}}']);
  expect(running.stdout.split('\n').sort()).toEqual(
    ['gate', 'nginx', 'registry', 'renewer'].map((part) => `moorage-${part}-1`),
  );
  expect((await npm('proxy', '--remove', '--yes')).stdout).toMatch(/✓ Proxy/);
  expect((await npm('proxy', '--remove')).stdout).toMatch(/= Proxy/);
  expect((await shown()).trim()).toBe('');
  expect((await machine.run(['ls', '/etc/systemd/system/docker.service.d'])).exitCode).not.toBe(0);
});
