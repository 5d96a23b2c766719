import { mkdtemp, readFile, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { FRESH_MACHINE } from '../../test/support/machine-facts.ts';
import { RecordedHost } from '../../test/support/recorded-host.ts';
import { gatherMachine } from './machine.ts';

const ASKED = new Date('2026-11-21T12:00:00Z');
const began = ASKED.getTime() / 1000;

const TOLD = `moorage machine 1
began=${began}.000000000
id=debian
like=
version=12
codename=bookworm
name=Debian GNU/Linux 12 (bookworm)
machine=x86_64
libc=glibc 2.36
systemd=yes
memory=2097152
swap=0
space_folder=1 21474836480
space_docker=1 21474836480
space_programs=1 21474836480
port=80
port=443
ended=${began}.000000000
complete=yes
`;

/** What is gathered from a machine that tells `stdout`, when the way there and the way back take so many ms. */
async function gathered(stdout: string, { there = 0, back = 0, exitCode = 0 } = {}) {
  const clock = new FakeClock(ASKED.toISOString());
  const host = new RecordedHost(() => {
    clock.set(new Date(ASKED.getTime() + there + back));
    return { stdout, exitCode };
  });
  return gatherMachine(host, clock, { folder: '/srv/moorage', ports: { http: 80, https: 443 } });
}

const telling = (...lines: string[]) => TOLD.replace('ended=', `${lines.join('\n')}\nended=`);

test('a fresh machine is understood', async () => {
  expect(await gathered(TOLD)).toEqual({ ...FRESH_MACHINE, clock: { ahead: 0, uncertainty: 0 } });
});

test('a login that greets on standard output does not matter', async () => {
  expect((await gathered(`Welcome!\nlast=login\n${TOLD}`)).system).toMatch(/Debian/);
});

test.each([
  ['broken off', TOLD.slice(0, 200)],
  ['broken off in its last word', TOLD.trimEnd().slice(0, -1)],
  ['without its end', TOLD.replace(/complete=.*\n/, '')],
  ['with a line missing', TOLD.replace(/memory=.*\n/, '')],
  ['with a line twice', telling('memory=1')],
  ['with a number that is none', TOLD.replace('memory=2097152', 'memory=lots')],
  ['with a space that has no figure', TOLD.replace(/space_docker=.*\n/, 'space_docker=1 \n')],
  ['with a name nobody knows', telling('colour=blue')],
  ['with a line that is none', telling('sh: 12: awk: not found')],
  ['empty', ''],
])('an answer %s is not believed', async (_, stdout) => {
  await expect(gathered(stdout)).rejects.toMatchObject({
    code: 'machine-unreadable',
    message: expect.stringContaining('vps'),
  });
});

test('nor is one of a script that failed', async () => {
  await expect(gathered(TOLD, { exitCode: 143 })).rejects.toMatchObject({ code: 'machine-unreadable' });
});

test('half of the way there and back is taken off its clock', async () => {
  const { clock } = await gathered(TOLD, { there: 2_000, back: 4_000 });
  expect(clock).toEqual({ ahead: -3_000, uncertainty: 3_000 });
});

test.each([
  [['container_443=moorage-nginx /srv/moorage'], { kind: 'ours' }],
  [['container_443=moorage-nginx /srv/moorage', 'listener_443=7 docker-proxy'], { kind: 'ours' }],
  [['container_443=web /srv/moorage two', 'listener_443=7 docker-proxy'], { kind: 'container', name: 'web' }],
  [['container_443=web '], { kind: 'container', name: 'web' }],
  [['listener_443=7 nginx: master'], { kind: 'program', name: 'nginx: master (process 7)' }],
  [['listener_443=0 '], { kind: 'program', name: 'a program that is not seen' }],
])('port 443 with %j', async (lines, holder) => {
  const { ports } = await gathered(telling(...lines));
  expect(ports).toEqual([
    { port: 80, holder: { kind: 'nobody' } },
    { port: 443, holder },
  ]);
});

test.each([
  [['there=yes'], { kind: 'nothing' }],
  [['there=yes', 'moorage=0.1.0', 'entry=src'], { kind: 'moorage', version: '0.1.0' }],
  [['there=yes', 'copying=yes', 'moorage=0.1.0', 'entry=src'], { kind: 'half-copied' }],
  [['there=yes', 'entry=a', 'entry=b=c'], { kind: 'foreign', names: ['a', 'b=c'] }],
])('a folder with %j', async (lines, content) => {
  expect((await gathered(telling(...lines))).folder.content).toEqual(content);
});

test('programs, engine and processor are understood', async () => {
  const facts = await gathered(
    telling(
      'node_path=/usr/bin/node',
      'node_version=v18.19.0',
      'npm_version=',
      'node_candidate=(none)',
      'taken=/usr/local/bin/npx',
      'rsync=yes',
      'dockerd=/usr/bin/dockerd',
      'engine=28.0.1',
    ).replace('x86_64', 'riscv64'),
  );
  expect(facts).toMatchObject({
    architecture: undefined,
    node: {
      present: { path: '/usr/bin/node', version: 'v18.19.0' },
      npm: undefined,
      candidate: undefined,
      taken: ['/usr/local/bin/npx'],
    },
    rsync: true,
    engine: { version: '28.0.1', dockerd: '/usr/bin/dockerd', compose: undefined, podman: undefined },
  });
});

/** What machine.sh tells when only these of its commands are run. */
async function toldBy(commands: string, ...args: readonly string[]) {
  const script = await readFile(new URL('machine.sh', import.meta.url), 'utf8');
  const input = `${script.slice(0, script.lastIndexOf('main "$@"'))}\n${commands}`;
  return (await execa('sh', ['-s', '--', ...args], { input })).stdout.split('\n');
}

test('a link that leads to nothing is told to stand in the way: no folder can be made there', async () => {
  const link = join(await mkdtemp(join(tmpdir(), 'machine-')), 'registry');
  await symlink('/nowhere/at/all', link);
  expect(await toldBy('folder=$1; contents', link)).toContain(`blocked=${link}`);
});

test('a 32-bit system on a 64-bit kernel, as on many a Raspberry Pi, is none that our programs run on', async () => {
  const with32 = 'uname() { echo aarch64; }; getconf() { [ "$1" = LONG_BIT ] && echo 32; }; operating_system';
  const machine = (await toldBy(with32)).find((line) => line.startsWith('machine=')) ?? '';
  const facts = await gathered(TOLD.replace('machine=x86_64', machine));
  expect(facts).toMatchObject({ architecture: undefined, machine: 'aarch64 with a 32-bit system' });
  expect(await toldBy('uname() { echo aarch64; }; getconf() { echo 64; }; operating_system')).toContain(
    'machine=aarch64',
  );
});
