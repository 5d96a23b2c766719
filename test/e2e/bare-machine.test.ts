import { afterAll, beforeAll, expect, test } from 'vitest';
import { BareMachine } from '../support/bare-machine.ts';
import { Checkout } from '../support/checkout.ts';

const PROJECT = '/srv/my registry';
const INIT = ['npm', 'run', '--silent', 'init-tls', '--'];

let machine: BareMachine;

beforeAll(async () => {
  const checkout = await Checkout.make();
  machine = await BareMachine.boot();
  await machine.clone(checkout.root, PROJECT);
  await checkout.dispose();
});

afterAll(() => machine.dispose());

test('with neither a terminal nor --yes it stops with the commands to run, and installs nothing', async () => {
  const { exitCode, stderr } = await machine.run(INIT, PROJECT);
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(
      /--yes.*apt-get install -y --no-install-recommends docker\.io iptables.*dockerd/s,
    ),
  });
  expect((await machine.run(['which', 'docker'])).exitCode).not.toBe(0);
});

test('asked at a terminal and told no, it installs nothing and says what to run', async () => {
  const { exitCode, stdout } = await machine.atTerminal(INIT.join(' '), PROJECT, 'Go ahead?', 'n\r');
  expect(stdout).toMatch(/install Docker Engine from Debian/);
  expect({ exitCode, stdout }).toMatchObject({
    exitCode: 1,
    stdout: expect.stringContaining('apt-get install'),
  });
  expect((await machine.run(['which', 'docker'])).exitCode).not.toBe(0);
});

test.each([
  ['while apt installs Docker', /· Docker +apt: /],
  ['while debootstrap makes the base of the images', /Debian trixie: /],
  ['while an image is built', /· Images +.*moorage\/\w+:/],
])('killed %s, it leaves nothing that stops the next run', async (_, line) => {
  expect(await machine.runUntil([...INIT, '--yes'], PROJECT, line, 'init-tls')).toBe(true);
});

test('one command from nothing: Docker, Compose, images, certificate, user, a proved push and pull', async () => {
  const { exitCode, stdout, stderr } = await machine.run([...INIT, '--yes'], PROJECT);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stdout).toMatch(/✓ Images +.*built/);
  expect(stdout).toMatch(/✓ Proof +pushed and pulled sha256:\w+ by docker/);
  expect(stdout).toMatch(/Registry +https:\/\/localhost\n/);
});

test('what was installed came through apt with signatures, and the machine’s own sources are as they were', async () => {
  expect((await machine.run(['docker', 'compose', 'version', '--short'])).stdout).toMatch(/^2\./);
  expect((await machine.run(['grep', '-r', 'trixie', '/etc/apt'])).stdout).toBe('');
});

test('run again it installs nothing and changes nothing', async () => {
  const { exitCode, stdout } = await machine.run(INIT, PROJECT);
  expect({ exitCode, stdout }).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('(nothing changed)'),
  });
});

test('after a restart of the engine the stack is back by itself', async () => {
  await machine.run(['sh', '-c', 'kill $(cat /var/run/docker.pid)']);
  await expect
    .poll(async () => (await machine.run(['test', '-e', '/var/run/docker.pid'])).exitCode, {
      timeout: 60_000,
    })
    .toBe(1);
  await machine.run(['sh', '-c', 'setsid dockerd >/var/log/dockerd.log 2>&1 </dev/null &']);
  const byNode = `fetch('https://localhost/').then(async (r) => console.log(await r.text()), (e) => console.log(e.cause.code))`;
  const trusted = ['env', `NODE_EXTRA_CA_CERTS=${PROJECT}/var/ca/ca.crt`, 'node', '-e', byNode];
  await expect
    .poll(async () => (await machine.run(trusted)).stdout, { timeout: 120_000, interval: 500 })
    .toContain('A private container registry');
});
