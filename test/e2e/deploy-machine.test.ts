import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { judgeMachine } from '../../src/deploy/judge-machine.ts';
import { COPY_MARKER, gatherMachine } from '../../src/deploy/machine.ts';
import type { MachineFacts } from '../../src/deploy/machine-facts.ts';
import { CARRIED_VERSIONS } from '../../src/deploy/pinned.ts';
import { installPrograms, planPrograms } from '../../src/deploy/programs.ts';
import { parseDestination } from '../../src/remote/destination.ts';
import type { RemoteHost } from '../../src/remote/host.ts';
import { SshHost } from '../../src/remote/ssh.ts';
import { eventually, systemClock } from '../../src/system/clock.ts';
import { type Run, run } from '../../src/system/processes.ts';
import { RemoteMachine } from '../support/remote-machine.ts';

const FOLDER = '/srv/my registry';
const PROGRAMS = '/usr/local/lib/moorage';

let machine: RemoteMachine;
let host: RemoteHost;
let cache: string;

beforeAll(async () => {
  machine = await RemoteMachine.boot('bare');
  host = await open(asClient);
  cache = await mkdtemp(join(tmpdir(), 'moorage-cache-'));
});

afterAll(async () => {
  await host.close();
  await machine.dispose();
  await rm(cache, { recursive: true, force: true });
});

/** By the client's configuration that the tests have. */
const asClient: Run = (program, args, options = {}) =>
  run(program, args, { ...options, env: { ...options.env, ...machine.env } });

function open(by: Run): Promise<RemoteHost> {
  const destination = parseDestination(`ada@${machine.address}`);
  if (typeof destination === 'string') throw new Error(destination);
  return SshHost.open(destination, { run: by, interactive: false });
}

function gather(folder = FOLDER, clock = systemClock): Promise<MachineFacts> {
  return gatherMachine(host, clock, { folder, ports: { http: 80, https: 443 } });
}

function install(facts: MachineFacts, by = host) {
  const reports: string[] = [];
  const porter = { host: by, run: asClient, clock: systemClock, cache, proxy: {} };
  return installPrograms(porter, facts, planPrograms(facts), (detail) => reports.push(detail));
}

/** What is broken by what the product says of the machine as it is now. */
async function broken(folder = FOLDER): Promise<string[]> {
  const verdicts = judgeMachine(await gather(folder), { images: 'pull', bindAddress: undefined });
  return verdicts.filter(({ kind }) => kind === 'broken').map(({ what }) => what);
}

test('a bare machine tells what it is, and that it is fit', async () => {
  const facts = await gather();
  const kernel = (await machine.run(['uname', '-m'])).stdout;
  expect(facts).toMatchObject({
    distribution: { id: 'debian', version: '12', codename: 'bookworm', family: 'debian' },
    machine: kernel,
    architecture: kernel === 'aarch64' ? 'arm64' : 'x64',
    libc: { kind: 'glibc', version: '2.36' },
    systemd: false,
    memory: 1024 * Number((await machine.sh("awk '/MemTotal/ { print $2 }' /proc/meminfo")).stdout),
    ports: [
      { port: 80, holder: { kind: 'nobody' } },
      { port: 443, holder: { kind: 'nobody' } },
    ],
    engine: { version: undefined, dockerd: undefined, compose: undefined, podman: undefined },
    node: { present: undefined, npm: undefined, taken: [] },
    rsync: false,
    folder: { path: FOLDER, content: { kind: 'nothing' }, blocked: undefined, readOnly: false },
  });
  expect(Math.abs(facts.clock.ahead)).toBeLessThanOrEqual(facts.clock.uncertainty + 1);
  expect(await broken()).toEqual([]);
});

test('killed while Node is copied, and again while it is unpacked, the next run finishes it', async () => {
  const facts = await gather();
  const killed = await open(killingRsync);
  await expect(install(facts, killed)).rejects.toThrow();
  await killed.close();
  const half = `${PROGRAMS}/node-${CARRIED_VERSIONS.node}.new/bin`;
  await machine.sh(`mkdir -p ${half} && echo half > ${half}/node`);
  expect((await host.run(['node', '--version'])).exitCode).toBe(127);

  const done = await install(await gather());
  const { node, npm } = CARRIED_VERSIONS;
  expect(done).toMatchObject({ changed: true, summary: `Node ${node}, npm ${npm} and rsync installed` });
  expect((await host.run(['node', '--version'])).stdout).toBe(`v${node}`);
  expect((await host.run(['npm', '--version'])).stdout).toBe(npm);
  expect((await host.run(['npx', '--version'])).stdout).toBe(npm);
  expect((await host.run(['rsync', '--version'])).exitCode).toBe(0);
  const left = await machine.run(['ls', '-A', PROGRAMS, `${PROGRAMS}/.arriving`]);
  expect(left.stdout).toBe(`${PROGRAMS}:\n.arriving\nnode-${node}\nnpm-${npm}\n\n${PROGRAMS}/.arriving:`);
});

test('a second time nothing is planned, and nothing changes', async () => {
  const facts = await gather();
  expect(planPrograms(facts)).toEqual([]);
  expect(await install(facts)).toMatchObject({ changed: false });
});

test('what an earlier deployment brought goes, unless something still leads to it', async () => {
  await machine.sh(
    `cd ${PROGRAMS} && mkdir -p node-20.1.0/bin node-18.1.0/bin npm-9.1.0 && ln -s ${PROGRAMS}/node-20.1.0/bin/node /usr/local/bin/node20`,
  );
  const done = await install(await gather());
  expect(done).toMatchObject({
    changed: true,
    summary: expect.stringMatching(/node-18\.1\.0, npm-9\.1\.0 removed$/),
  });
  await machine.sh('rm /usr/local/bin/node20');
  expect(await install(await gather())).toMatchObject({
    summary: expect.stringMatching(/node-20\.1\.0 removed$/),
  });
  expect((await host.run(['node', '--version'])).stdout).toBe(`v${CARRIED_VERSIONS.node}`);
});

test('what arrives damaged is not unpacked, and is copied anew the next time', async () => {
  await machine.sh(`rm -r ${PROGRAMS}/npm-*; rm /usr/local/bin/npm /usr/local/bin/npx`);
  const facts = await gather();
  const damaging: Run = async (program, args, options) => {
    const result = await asClient(program, args, options);
    if (program === 'rsync')
      await machine.sh(`echo more >> ${PROGRAMS}/.arriving/npm-${CARRIED_VERSIONS.npm}.tgz`);
    return result;
  };
  const damaged = await open(damaging);
  await expect(install(facts, damaged)).rejects.toMatchObject({
    code: 'program-not-placed',
    message: expect.stringContaining('not what was sent'),
  });
  await damaged.close();
  expect(await install(facts)).toMatchObject({ changed: true });
});

test('what somebody else has in /usr/local/bin stays, and is told to stand in the way', async () => {
  await machine.sh(
    'rm /usr/local/bin/node; printf "#!/bin/sh\\necho v18.1.0\\n" > /usr/local/bin/node; chmod 755 /usr/local/bin/node',
  );
  const facts = await gather();
  expect(await broken()).toEqual([
    expect.stringMatching(/v18\.1\.0.*\/usr\/local\/bin\/node.*somebody else’s/),
  ]);
  await install(facts);
  expect((await machine.run(['node', '--version'])).stdout).toBe('v18.1.0');
  await machine.sh('rm /usr/local/bin/node');
  await install(await gather());
  expect((await machine.run(['node', '--version'])).stdout).toBe(`v${CARRIED_VERSIONS.node}`);
});

const MOORAGE = `printf '{\\n  "name": "moorage",\\n  "version": "0.1.0"\\n}' > "$0/package.json"`;
const CLONE = `mkdir "$0"; ${MOORAGE}; cd "$0"; touch compose.yaml; git init --quiet; git add .
  git -c user.name=ada -c user.email=ada@example.com commit --quiet --message all
  echo more > compose.yaml; mkdir src; touch src/mine.ts notes.txt; chown -R 1234:1234 .`;

test.each([
  [
    'files of somebody else',
    'mkdir "$0"; touch "$0/index.php"',
    /my registry holds something else: index\.php/,
  ],
  ['a copy that was broken off', `mkdir "$0"; touch "$0/${COPY_MARKER}" "$0/src"`, undefined],
  ['a Moorage', `mkdir "$0"; ${MOORAGE}`, undefined],
  ['a git clone of somebody’s, with work in it', CLONE, /not committed: compose\.yaml, src\//],
  [
    'a git clone of somebody’s, by a link',
    `${CLONE}; cd ..; rm -rf moved; mv "$0" moved; ln -s moved "$0"`,
    /not committed: compose\.yaml, src\//,
  ],
  ['a git clone that was deployed into before', `${CLONE}; touch .git/moorage-deployed`, undefined],
  ['a disk that is fresh', 'mkdir -p "$0/lost+found"', undefined],
  ['a link that leads to nothing in its place', 'ln -s nowhere "$0"', /my registry is not a folder/],
  ['a file in its place', 'touch "$0"', /my registry is not a folder/],
  [
    'a small disk below it',
    'mkdir "$0"; mount -t tmpfs -o size=64m none "$0"',
    /only 64 MiB free on the disk of .*my registry;/,
  ],
  ['a disk that only reads', 'mkdir "$0"; mount -t tmpfs -o ro,size=4g none "$0"', /nobody can write where/],
  [
    'a disk that is not mounted',
    'echo "/dev/sdz1 /srv ext4 defaults 0 0" > /etc/fstab',
    /disk of \/srv .*not mounted/,
  ],
])('the folder with %s', async (_, make, expected) => {
  await machine.run(['sh', '-ec', make, FOLDER]);
  const found = await broken();
  await machine.run(['sh', '-c', 'umount "$0"; rm -rf "$0"; : > /etc/fstab', FOLDER]);
  expect(found).toEqual(expected === undefined ? [] : [expect.stringMatching(expected)]);
});

test('who listens on a port is named', async () => {
  const server = 'require("net").createServer().listen(443, "::")';
  await machine.sh(`node -e '${server}' >/dev/null 2>&1 & echo $! > /tmp/listener`);
  await expect
    .poll(() => broken())
    .toEqual([expect.stringMatching(/^port 443 is taken by node \(process \d+\)$/)]);
  await machine.sh('kill $(cat /tmp/listener)');
});

test('a clock that differs is told by how much', async () => {
  const late = { ...systemClock, now: () => new Date(Date.now() - 3 * 3_600_000) };
  const verdicts = judgeMachine(await gather(FOLDER, late), { images: 'pull', bindAddress: undefined });
  expect(verdicts.map(({ what }) => what)).toEqual([expect.stringMatching(/180 minutes ahead of/)]);
});

/** Copies slowly, and is killed with SIGKILL once something of Node has arrived. */
const killingRsync: Run = async (program, args, options = {}) => {
  if (program !== 'rsync') return asClient(program, args, options);
  const copying = execa('rsync', ['--bwlimit=4m', ...args], { env: machine.env, reject: false });
  const arrived = await eventually(systemClock, { within: 30_000, every: 50 }, async () => {
    const { stdout } = await machine.sh(`find ${PROGRAMS}/.arriving -name '*node*' -size +1M`);
    return stdout === '' ? undefined : true;
  });
  copying.kill('SIGKILL');
  await copying;
  if (arrived === undefined) throw new Error('nothing of Node arrived');
  return { exitCode: 137, stdout: '', stderr: 'killed' };
};
