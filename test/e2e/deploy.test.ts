import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BASE_IMAGE, BUILT } from '../../src/images/catalog.ts';
import { hold } from '../../src/remote/hold.ts';
import { SshHost } from '../../src/remote/ssh.ts';
import { systemClock } from '../../src/system/clock.ts';
import { run, withVariables } from '../../src/system/processes.ts';
import { ensureBuilt } from '../support/built-images.ts';
import { Checkout, type Ran } from '../support/checkout.ts';
import { RemoteMachine } from '../support/remote-machine.ts';
import { TerminalSession } from '../support/terminal-session.ts';

const FOLDER = '/srv/moorage';
/** Built where nobody has to reach an image registry; what the tests' own engine has of them is lent to the machine. */
const ROLES = ['registry', 'nginx', 'node'] as const;

let machine: RemoteMachine;
let here: Checkout;
let other: Checkout;
let password: string;

beforeAll(async () => {
  [machine, here, other] = await Promise.all([RemoteMachine.boot('bare'), Checkout.make(), Checkout.make()]);
  for (const role of ROLES) await ensureBuilt(role);
});

afterAll(async () => {
  await machine.dispose();
  await here.dispose();
  await other.dispose();
});

const ada = () => `ada@${machine.address}`;
const deploy = (...args: string[]): Promise<Ran> => here.command('deploy', args, { env: machine.env });
const given = () => ['--set', `DOMAIN=${machine.address}`, '--set', 'IMAGES=build'];
const far = (path: string) => machine.run(['cat', `${FOLDER}/${path}`]);
const containers = async () => (await machine.sh('docker ps --quiet --no-trunc | sort')).stdout;

/** Kills the deployment, its ssh and its rsync with SIGKILL once a line matches. */
async function killedAt(line: RegExp, args: readonly string[]): Promise<boolean> {
  const child = execa('npm', ['run', '--silent', 'deploy', '--', ...args], {
    cwd: here.root,
    env: { ...here.env, ...machine.env },
    detached: true,
    reject: false,
    all: true,
  });
  for await (const text of child.iterable({ from: 'all' })) {
    if (!line.test(text)) continue;
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    await child;
    return true;
  }
  return false;
}

/** Ends the connection from the other side once a line matches; what came of the deployment. */
async function cutAt(line: RegExp, args: readonly string[]): Promise<Ran> {
  const child = execa('npm', ['run', '--silent', 'deploy', '--', ...args], {
    cwd: here.root,
    env: { ...here.env, ...machine.env },
    reject: false,
    all: true,
  });
  let cut = false;
  for await (const text of child.iterable({ from: 'all' })) {
    if (cut || !line.test(text)) continue;
    cut = true;
    await machine.sh('kill -9 $(pgrep -f "^sshd: (root|ada)")');
  }
  const { exitCode, stdout, stderr } = await child;
  return { exitCode: cut ? (exitCode ?? -1) : -1, stdout, stderr };
}

/** Asks as a client of this machine does, with nothing but the CA that the registry hands out. */
async function statusHere(user: string, secret: string): Promise<number> {
  const ca = (await far('var/ca/ca.crt')).stdout;
  return new Promise((resolve, reject) => {
    const asked = request(`https://${machine.address}/v2/`, { ca, auth: `${user}:${secret}` }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asked.on('error', reject).end();
  });
}

test('wrong settings are refused with setting and machine, and nothing is written there', async () => {
  const { exitCode, stderr } = await deploy(
    ada(),
    '--yes',
    '--set',
    'DOMAIN=localhost',
    '--set',
    'HTTP_PORT=443',
  );
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2 });
  expect(stderr).toContain(`DOMAIN (${ada()}): "localhost" would lead every client to itself`);
  expect(stderr).toContain(`HTTPS_PORT (${ada()}): 443 is HTTP_PORT too`);
  expect((await machine.run(['ls', FOLDER])).exitCode).not.toBe(0);
});

test('without consent nothing is installed, and what would be is told', async () => {
  const { exitCode, stderr } = await deploy(ada(), ...given());
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('--yes') });
  expect(stderr).toMatch(/apt-get install .*rsync/);
  expect((await machine.run(['which', 'rsync'])).exitCode).not.toBe(0);
});

test('--check tells what would be installed, copied and set, and changes nothing', async () => {
  const { exitCode, stdout } = await deploy(ada(), ...given(), '--check');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/Programs +would install rsync.*\n.*Node.*\n.*Docker Engine/s);
  expect(stdout).toMatch(/Project +would be copied to \/srv\/moorage/);
  expect(stdout).toContain(`DOMAIN=${machine.address}, IMAGES=build`);
  expect((await machine.run(['ls', FOLDER])).exitCode).not.toBe(0);
});

test('killed in the middle of the first copy, it leaves a folder that is known as its own', async () => {
  expect(await killedAt(/· Project +\d+ files?/, [ada(), ...given(), '--yes'])).toBe(true);
  expect((await machine.run(['ls', `${FOLDER}/compose.yaml`])).exitCode).not.toBe(0);
  expect((await machine.run(['ls', FOLDER])).exitCode).toBe(0);
});

test('a connection that is cut while init-tls runs there is told as such', async () => {
  const { exitCode, stderr } = await cutAt(/✓ Docker /, [ada(), ...given(), '--yes']);
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('Run this again'),
  });
  // What it left at work would build images for minutes, and those of the tests' own engine do as well.
  await machine.sh('pkill -9 -f init-tls; pkill -9 debootstrap; true');
  await machine.takeImages(BASE_IMAGE, ...ROLES.map((role) => BUILT[role]));
});

test('run again it finishes: a registry that works from here, as user ada, who has sudo', async () => {
  const { exitCode, stdout, stderr } = await deploy(ada(), ...given(), '--yes');
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stdout).toMatch(/✓ Proof +pushed and pulled sha256:/);
  expect(stdout).toMatch(/✓ Doctor +\d+ checks from here are fine/);
  password = /admin, password (\S+)/.exec(stdout)?.[1] ?? '';
  expect(await statusHere('admin', password)).toBe(200);
  expect(await statusHere('admin', 'wrong')).toBe(401);
});

test('secrets there are root’s alone, and nothing of this shell or this checkout’s state went along', async () => {
  const { stdout } = await machine.sh(`stat -c '%a %U' ${FOLDER}/.env; ls -a ${FOLDER} ${FOLDER}/var`);
  expect(stdout).toMatch(/^600 root\n/);
  expect(stdout).not.toMatch(/\.moorage-copy|\.git|first-user|deploy|test|\.env\.deploy/);
  expect((await far('.env')).stdout).not.toContain(here.env.HTTPS_PORT);
  expect((await machine.run(['grep', '-rl', password, FOLDER, '/var/log', '/tmp'])).stdout).toBe('');
});

test('a second time changes nothing, and needs no settings any more', async () => {
  const before = await containers();
  const { exitCode, stdout } = await deploy(ada());
  expect(exitCode).toBe(0);
  expect(stdout).not.toContain('✓');
  expect(stdout).toContain('(nothing changed)');
  expect(await containers()).toBe(before);
});

test('while one checkout is at it another one is told so, may look, and has its turn when the connection is dead', async () => {
  const fromThere = (...args: string[]) => other.command('deploy', [ada(), ...args], { env: machine.env });
  const host = await SshHost.open(
    { user: 'ada', host: machine.address, port: undefined, identityFile: undefined },
    { run: withVariables(run, machine.env), interactive: false },
  );
  const held = await hold(host, FOLDER, { clock: systemClock, command: 'npm run deploy' });
  for (const args of [['--yes'], ['--uninstall', '--yes']]) {
    const { exitCode, stderr } = await fromThere(...args);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1 });
    expect(stderr).toMatch(/\/srv\/moorage on ada@.+ is being worked on: npm run deploy by \w+@/);
  }
  expect(await fromThere('--check')).toMatchObject({ exitCode: 0 });
  await machine.sh('kill -9 $(pgrep -f "^sshd: (root|ada)")');
  expect(await fromThere()).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('(nothing changed)'),
  });
  await held.close();
  expect((await machine.sh('ls /run')).stdout).not.toContain('moorage');
});

test('--check tells of a changed file and a changed setting; deployed, both are there and the rest as it was', async () => {
  await appendFile(join(here.root, 'nginx/templates/common.locations.template'), '# another line\n');
  const set = ['--set', 'AUTH_TTL=30', '--set', 'SMTP_URL=smtp://me:geheim@mail.example.com:587'];
  const checked = await deploy(ada(), ...set, '--check');
  expect(checked).toMatchObject({ exitCode: 0 });
  expect(checked.stdout).toMatch(/1 file would change: nginx\/templates\/common\.locations\.template/);
  expect(checked.stdout).toContain('AUTH_TTL=30, SMTP_URL (not shown)');
  expect(checked.stdout).not.toContain('geheim');
  const [before, environment] = [await containers(), (await far('.env')).stdout];
  expect(await deploy(ada(), ...set)).toMatchObject({ exitCode: 0 });
  expect((await far('nginx/templates/common.locations.template')).stdout).toContain('# another line');
  const kept = (text: string) => text.split('\n').filter((line) => !/AUTH_TTL|SMTP_URL/.test(line));
  expect(kept((await far('.env')).stdout)).toEqual(kept(environment));
  expect(await containers()).not.toBe(before);
  expect((await deploy(ada(), '--check')).stdout).toContain('would stay as it is');
});

test('when the disk becomes full, or it is killed, in the middle of a later copy, what runs sees none of it; run again it is all there', async () => {
  await machine.sh(`rm -rf ${FOLDER}/node_modules/zod ${FOLDER}/node_modules/acme-client`);
  await appendFile(join(here.root, 'compose.yaml'), '# another line\n');
  // There is room at the first look: the disk that fills is one below.
  await machine.sh(`mount -t tmpfs -o size=200k tmpfs ${FOLDER}/docs`);
  const full = await deploy(ada());
  expect(full).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('run this again') });
  expect(full.stderr).toContain(`The disk of ${FOLDER} on ${ada()} is full.`);
  expect((await far('compose.yaml')).stdout).not.toContain('# another line');
  expect(await statusHere('admin', password)).toBe(200);
  await machine.sh(`umount ${FOLDER}/docs`);
  expect(await killedAt(/· Project +\d+ files?/, [ada()])).toBe(true);
  expect((await far('compose.yaml')).stdout).not.toContain('# another line');
  expect(await statusHere('admin', password)).toBe(200);
  expect(await deploy(ada())).toMatchObject({ exitCode: 0 });
  expect((await far('compose.yaml')).stdout).toContain('# another line');
  expect((await machine.sh(`find ${FOLDER} -name '.~tmp~' -o -name .moorage-copy`)).stdout).toBe('');
});

test('whether a run goes on or ends when its connection is cut, the next one finishes', async () => {
  await appendFile(join(here.root, 'nginx/templates/common.locations.template'), '# and another\n');
  expect(await cutAt(/= Settings .*https/, [ada()])).toMatchObject({ exitCode: 1 });
  expect(await deploy(ada())).toMatchObject({ exitCode: 0 });
  expect(await statusHere('admin', password)).toBe(200);
});

test('of several machines the others go on where one can’t be reached, lets nobody in, has another key or no room', async () => {
  await machine.sh(
    'mkdir -p /mnt/small && mount -t tmpfs -o size=10m tmpfs /mnt/small && /usr/sbin/sshd -p 2222',
  );
  const other = (
    await machine.sh('ssh-keygen -q -t ed25519 -N "" -f /tmp/other; cut -d" " -f1-2 /tmp/other.pub')
  ).stdout;
  await appendFile(join(machine.folder, 'known_hosts'), `[${machine.address}]:2222 ${other}\n`);
  const inventory = join(here.root, 'hosts.ini');
  const at = `ansible_host=${machine.address}`;
  await writeFile(
    inventory,
    [
      '[registries]',
      'off ansible_host=127.0.0.1 ansible_port=9 ansible_user=root',
      `stranger ${at} ansible_user=nobody dir=/srv/stranger`,
      `changed ${at} ansible_user=root ansible_port=2222`,
      `small ${at} ansible_user=root dir=/mnt/small/moorage`,
      `good ${at} ansible_user=ada`,
      '[registries:vars]',
      `domain=${machine.address}`,
      '',
    ].join('\n'),
  );
  const { exitCode, stdout } = await deploy('-i', inventory, '--json', '--yes');
  expect(exitCode).toBe(1);
  const { hosts } = JSON.parse(stdout);
  const codes = hosts.map(
    ({ name, done, error }: { name: string; done: boolean; error?: { code: string } }) => [
      name,
      done ? 'done' : error?.code,
    ],
  );
  expect(Object.fromEntries(codes)).toEqual({
    off: 'host-unreachable',
    stranger: 'login-refused',
    changed: 'host-key-changed',
    small: 'machine-unfit',
    good: 'done',
  });

  const [env, before] = [await readFile(inventory, 'utf8'), (await far('.env')).stdout];
  for (const [variable, told] of [
    ['http_port=70000', /hosts\.ini:6: HTTP_PORT "70000" is not between 1 and 65535/], // before anything is reached
    ['https_port=80', /HTTPS_PORT \(good\): 80 is HTTP_PORT too/], // by what else is set there
  ] as const) {
    await writeFile(inventory, env.replace('ansible_user=ada', `ansible_user=ada ${variable}`));
    const wrong = await deploy('-i', inventory, '--limit', 'good', '--yes');
    expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(told) });
  }
  expect((await far('.env')).stdout).toBe(before);
});

test('taken off by its domain’s name, nothing of it is left; once more there is nothing to do; looked at, or not agreed to, it stays', async () => {
  const wrong = new TerminalSession(`npm run --silent deploy -- ${ada()} --uninstall --purge other.example`, {
    cwd: here.root,
    env: { ...here.env, ...machine.env },
    columns: 200,
    rows: 50,
  });
  expect(await wrong.exitCode()).toBe(2);
  expect(wrong.seen).toContain('"other.example" is not the name of this registry');
  expect(wrong.seen).not.toContain('Take the registry off');
  expect(await statusHere('admin', password)).toBe(200);
  const looked = await deploy(ada(), '--uninstall', '--check');
  expect(looked).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('nothing was changed') });
  expect(await deploy(ada(), '--uninstall')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('--yes'),
  });
  expect(await statusHere('admin', password)).toBe(200);
  await machine.sh(`echo mine > ${FOLDER}/retention.yaml`);
  const taken = await deploy(ada(), '--uninstall', '--yes', '--purge', machine.address);
  expect(taken).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('left there: retention.yaml') });
  expect((await machine.sh(`ls -A ${FOLDER}; docker ps --all --quiet`)).stdout).toBe('retention.yaml');
  expect((await deploy(ada(), '--uninstall', '--yes')).stdout).toContain('there is no Moorage');
});
