import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { judgeMachine } from '../../src/deploy/judge-machine.ts';
import { gatherMachine } from '../../src/deploy/machine.ts';
import { installPrograms, planPrograms } from '../../src/deploy/programs.ts';
import { dnfInstall } from '../../src/host/dnf.ts';
import { removalOfPrograms } from '../../src/host/programs-here.ts';
import { ensureRestic } from '../../src/host/restic.ts';
import { parseDestination } from '../../src/remote/destination.ts';
import type { RemoteHost } from '../../src/remote/host.ts';
import { SshHost } from '../../src/remote/ssh.ts';
import { systemClock } from '../../src/system/clock.ts';
import { type Run, run } from '../../src/system/processes.ts';
import { Checkout } from '../support/checkout.ts';
import { RemoteMachine } from '../support/remote-machine.ts';

/** What decides for RHEL's kin, against real dnf and rpm; packages, keys and repositories are stand-ins (red-hat.sh). */
const PROJECT = '/srv/my registry';
const KEY = '/srv/download.docker.com/linux/centos/gpg';
const REPOSITORY = '/etc/yum.repos.d/docker-ce.repo';
const PINNED_IN = 'src/host/docker-dnf-repository.ts';

let machine: RemoteMachine;
let host: RemoteHost;

beforeAll(async () => {
  machine = await RemoteMachine.boot('red-hat');
  const destination = parseDestination(machine.login);
  if (typeof destination === 'string') throw new Error(destination);
  host = await SshHost.open(destination, { run: asClient, interactive: false });
  const checkout = await Checkout.make();
  await machine.machine.clone(checkout.root, PROJECT);
  await checkout.dispose();
  await machine.machine.takePackages(PROJECT);
  // IMAGES=build is refused on such a system: that is as far as init-tls comes once Docker is there.
  await machine.sh('printf "IMAGES=build\\nHTTPS_PORT=8443\\n" > .env', PROJECT);
});

afterAll(async () => {
  await host.close();
  await machine.dispose();
});

const asClient: Run = (program, args, options = {}) =>
  run(program, args, { ...options, env: { ...options.env, ...machine.env } });

/** Its shell is of somebody who reads German. */
const there: Run = (program, args, { env = {} } = {}) => {
  const variables = Object.entries({ LANGUAGE: 'de', ...env }).map(([name, value]) => `${name}=${value}`);
  return host.run(['env', ...variables, program, ...args]);
};

const gather = () =>
  gatherMachine(host, systemClock, { folder: '/srv/new', ports: { http: 80, https: 8443 } });

async function broken(): Promise<string[]> {
  const verdicts = judgeMachine(await gather(), { images: 'pull', bindAddress: undefined });
  return verdicts.filter(({ kind }) => kind === 'broken').map(({ what }) => what);
}

async function install(report: (detail: string) => void = () => undefined) {
  const facts = await gather();
  const porter = { host, run: asClient, clock: systemClock, cache: '/nowhere', proxy: {} };
  return installPrograms(porter, facts, planPrograms(facts), report);
}

async function dnf(...args: string[]): Promise<void> {
  await machine.machine.succeed(['dnf', '-y', '-q', ...args]);
}

async function eventually(condition: string): Promise<void> {
  await expect.poll(async () => (await machine.sh(condition)).exitCode, { timeout: 60_000 }).toBe(0);
}

const initTls = () => machine.run(['npm', 'run', '--silent', 'init-tls', '--', '--yes'], PROJECT);

test('a machine with dnf alone is known for what it is, and fit', async () => {
  expect((await gather()).distribution).toMatchObject({ id: 'rocky', version: '9.4', family: 'redhat' });
  expect(await broken()).toEqual([]);
});

test('another version of Node that somebody enabled stays, and how to change that is said', async () => {
  await dnf('module', 'enable', 'nodejs:20');
  await expect(install()).rejects.toMatchObject({
    code: 'dnf-failed',
    message: expect.stringMatching(/switching of module 'nodejs' stream '20' to stream '22'/),
    remedy: expect.stringContaining('dnf module reset nodejs'),
  });
  await dnf('module', 'reset', 'nodejs');
});

test('Node and npm come from the module and rsync beside them, once another dnf has ended', async () => {
  await machine.sh('python3 /opt/standing-in/hold-lock.py >/dev/null 2>&1 &');
  await eventually('test -e /tmp/held');
  const reports: string[] = [];
  const done = await install((detail) => {
    if (!reports.includes(detail)) reports.push(detail);
    if (detail === 'another dnf is at work') void machine.sh('rm -f /tmp/held');
  });
  expect(done).toMatchObject({ changed: true, summary: expect.stringMatching(/^Node \d+\..* installed$/) });
  expect(reports).toContain('another dnf is at work');
  expect(reports).toContainEqual(expect.stringMatching(/^dnf: Installing nodejs-22\.16\.0/));
  const versions = ['rpm', '-q', '--qf', '%{NAME} %{VERSION}\n', 'nodejs', 'npm', 'rsync'];
  expect((await machine.run(versions)).stdout).toBe('nodejs 22.16.0\nnpm 10.9.2\nrsync 3.2.7');
  expect(await install()).toMatchObject({ changed: false });
});

test.each([
  ['nobody signed', 'unsigned', /unsigned-1\.rpm is not signed/],
  ['somebody else signed', 'by-a-stranger', /not correct for this package/],
  ['is nowhere', 'no-such-package', /Unable to find a match: no-such-package/],
])('a package that %s is refused, in English and with the reason', async (_, name, reason) => {
  await expect(dnfInstall(there, [name], () => undefined)).rejects.toMatchObject({
    code: 'dnf-failed',
    message: expect.stringMatching(reason),
  });
  expect((await machine.run(['rpm', '-q', name])).exitCode).toBe(1);
});

test('Podman in place of Docker is refused, by its command and by its socket, until it is taken away', async () => {
  await dnf('install', 'podman-docker');
  expect(await broken()).toEqual([expect.stringMatching(/is Podman 4\.3\.1/)]);
  const byCommand = await initTls();
  expect(byCommand).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/the command docker\) is Podman 4\.3\.1.*dnf remove podman-docker/s),
  });
  await machine.sh(
    'setsid podman system service --time 0 unix:///run/docker.sock >/dev/null 2>&1 </dev/null & echo $! > /tmp/podman',
  );
  await eventually('test -S /run/docker.sock');
  expect((await initTls()).stderr).toMatch(/docker\.sock\) is Podman/);
  await machine.sh('kill $(cat /tmp/podman); rm -f /run/docker.sock');
  await dnf('remove', 'podman-docker');
  expect(await broken()).toEqual([]);
});

test('where Docker’s repository is out of reach, that is said and nothing is left', async () => {
  await machine.sh('echo 127.0.0.1 download.docker.com >> /etc/hosts');
  expect(await initTls()).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/key for packages could not be had .*ECONNREFUSED/),
  });
  expect((await machine.run(['ls', REPOSITORY])).exitCode).toBe(2);
});

test('a key that is not Docker’s is refused, and packages that Docker’s key did not sign', async () => {
  await machine.sh('setsid python3 /opt/standing-in/serve.py >/dev/null 2>&1 </dev/null &');
  await eventually(`bash -c ': > /dev/tcp/127.0.0.1/443'`);
  expect((await initTls()).stderr).toMatch(/it is not the key that is known/);
  const docker = await readFile(new URL('../support/docker-rpm-key.asc', import.meta.url), 'utf8');
  await machine.run(['sh', '-c', `mv ${KEY} ${KEY}.ours; printf %s "$0" > ${KEY}`, docker]);
  expect(await initTls()).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/Public key for docker-ce-20\S+ is not installed.*GPG check FAILED/s),
  });
  expect((await machine.run(['ls', REPOSITORY])).exitCode).toBe(2);
  expect((await machine.run(['which', 'dockerd'])).exitCode).toBe(1);
});

test('a runc that is there is not replaced without a question', async () => {
  const fingerprint = await machine.sh(
    `mv ${KEY}.ours ${KEY}; gpg --with-colons --show-keys ${KEY} | awk -F: '$1 == "fpr" { print $10; exit }'`,
  );
  const pinned = `sed -i "s/^const FINGERPRINT = .*/const FINGERPRINT = '$0';/" ${PINNED_IN}`;
  await machine.run(['sh', '-c', pinned, fingerprint.stdout], PROJECT);
  await dnf('install', 'runc');
  expect((await initTls()).stderr).toMatch(/removing the following protected packages: runc/);
  expect((await machine.run(['rpm', '-q', 'runc'])).exitCode).toBe(0);
  await dnf('remove', 'runc');
});

test('from a repository whose key is known Docker and Compose are installed and start', async () => {
  const first = await initTls();
  expect(first.stdout).toMatch(/✓ Docker +Docker 20\.10\.24\S*, Compose 2\.\S+, installed and started/);
  expect(first.stderr).toMatch(/debootstrap.*IMAGES=pull.*IMAGES=load/s);
  expect((await initTls()).stdout).toMatch(/= Docker +Docker 20\.10\.24\S*, Compose 2\./);
  expect(await gather()).toMatchObject({ engine: { version: '20.10.24+dfsg1', podman: undefined } });
});

test('restic comes from EPEL, and all that came is told when it may go', async () => {
  const backedUp = () =>
    ensureRestic(
      { run: there, root: true, clock: systemClock, fetch, dockerHost: undefined },
      async () => true,
      () => undefined,
    );
  expect(await backedUp()).toMatchObject({ changed: true, summary: 'restic 0.14.0, installed' });
  expect(await backedUp()).toMatchObject({ changed: false });
  expect(await removalOfPrograms(there)).toMatch(
    /^sudo dnf remove (?=.*\bdocker-ce\b)(?=.*\bcontainerd\.io\b)(?=.*\bdocker-compose-plugin\b).*\brestic\b/,
  );
});
