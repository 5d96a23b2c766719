import { expect, test } from 'vitest';
import { FRESH_MACHINE } from '../../test/support/machine-facts.ts';
import { judgeMachine, type Wanted } from './judge-machine.ts';
import type { FolderFacts, MachineFacts, NodeFacts } from './machine-facts.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const MINUTE = 60_000;

function judged(some: Partial<MachineFacts>, wanted: Partial<Wanted> = {}) {
  return judgeMachine({ ...FRESH_MACHINE, ...some }, { images: 'pull', bindAddress: undefined, ...wanted });
}

const rocky = { id: 'rocky', version: '9.4', codename: '', family: 'redhat' } as const;
const folder = (some: Partial<FolderFacts>) => ({ folder: { ...FRESH_MACHINE.folder, ...some } });
const node = (some: Partial<NodeFacts>) => ({ node: { ...FRESH_MACHINE.node, ...some } });
const port = (holder: MachineFacts['ports'][number]['holder']) => ({ ports: [{ port: 443, holder }] });
const shared = (free: number) => {
  const space = { fileSystem: '1', free };
  return { space: { folder: space, docker: space, programs: space } };
};

test('a fresh machine of a usual size is fit', () => {
  expect(judged({})).toEqual([]);
});

test.each<[string, Partial<MachineFacts>, 'broken' | 'warning', RegExp]>([
  ['a C library that nothing is made for', { libc: { kind: 'musl' } }, 'broken', /musl/],
  ['one that is too old', { libc: { kind: 'glibc', version: '2.17' } }, 'broken', /glibc 2\.17.*2\.28/],
  ['another processor', { machine: 'armv7l', architecture: undefined }, 'broken', /armv7l/],
  [
    'another system',
    { distribution: { id: 'arch', version: '', codename: '', family: 'other' }, system: 'Arch Linux' },
    'broken',
    /Arch Linux/,
  ],
  ['too little memory', { memory: 480 * MIB }, 'broken', /480 MiB of memory; .*700 MiB/],
  ['little memory with swap', { memory: 480 * MIB, swap: GIB }, 'warning', /480 MiB.*1 GiB of swap/],
  ['a program on the port', port({ kind: 'program', name: 'apache2 (process 7)' }), 'broken', /443.*apache2/],
  ['a container on the port', port({ kind: 'container', name: 'web' }), 'broken', /443.*container web/],
  [
    'a clock that is a little off',
    { clock: { ahead: 90_000, uncertainty: 200 } },
    'warning',
    /90 seconds ahead/,
  ],
  [
    'a clock that is far off',
    { clock: { ahead: -11 * MINUTE, uncertainty: 9 } },
    'broken',
    /11 minutes behind/,
  ],
  [
    'a folder of somebody else',
    folder({ content: { kind: 'foreign', names: ['wp-config.php', 'index.php'] } }),
    'broken',
    /wp-config\.php, index\.php/,
  ],
  [
    'a git clone with work in it',
    folder({ content: { kind: 'moorage', version: '0.1.0' }, uncommitted: ['compose.yaml'] }),
    'broken',
    /not committed: compose\.yaml/,
  ],
  [
    'a git clone that git does not look into',
    folder({ content: { kind: 'moorage', version: '0.1.0' }, gitFailed: 'fatal: dubious ownership' }),
    'broken',
    /git status fails: fatal: dubious ownership/,
  ],
  [
    'a git clone of something else, whatever is in it',
    folder({ content: { kind: 'foreign', names: ['.git', 'src'] }, uncommitted: ['src/'] }),
    'broken',
    /holds something else/,
  ],
  ['a file in the way', folder({ blocked: '/srv' }), 'broken', /\/srv is not a folder/],
  ['a disk that is not mounted', folder({ unmounted: '/srv' }), 'broken', /disk of \/srv .*not mounted/],
  ['a place nobody can write to', folder({ readOnly: true }), 'broken', /write/],
  [
    'an old engine',
    { engine: { version: '19.03.15', dockerd: '/usr/bin/dockerd', compose: '2.30.0', podman: undefined } },
    'broken',
    /Docker 19\.03\.15/,
  ],
  [
    'Podman in place of Docker',
    { engine: { version: undefined, dockerd: undefined, compose: undefined, podman: '5.2.2' } },
    'broken',
    /Docker there is Podman 5\.2\.2/,
  ],
  [
    'an old Compose',
    { engine: { version: '24.0.1', dockerd: '/usr/bin/dockerd', compose: '2.6.0', podman: undefined } },
    'broken',
    /Compose 2\.6\.0/,
  ],
  [
    'a Node that is too old',
    node({ present: { path: '/usr/bin/node', version: 'v18.19.1' }, npm: '9.2.0' }),
    'warning',
    /v18\.19\.1.*too old/,
  ],
  [
    'one that ours cannot stand beside',
    node({
      present: { path: '/usr/local/bin/node', version: 'v18.19.1' },
      npm: '9.2.0',
      taken: ['/usr/local/bin/node'],
    }),
    'broken',
    /somebody else’s/,
  ],
])('%s is told, with what to do', (_, some, kind, what) => {
  const [verdict, ...others] = judged(some);
  expect([verdict?.kind, others]).toEqual([kind, []]);
  expect(verdict?.what).toMatch(what);
  expect(verdict?.remedy).not.toBe('');
});

test.each<[string, Partial<MachineFacts>, Partial<Wanted>]>([
  ['this very stack on the port', port({ kind: 'ours' }), {}],
  [
    'a clock that only seems off, by the way there and back',
    { clock: { ahead: 65_000, uncertainty: 9_000 } },
    {},
  ],
  ['a Moorage in the folder', folder({ content: { kind: 'moorage', version: '0.1.0' } }), {}],
  ['a copy that was broken off', folder({ content: { kind: 'half-copied' } }), {}],
  ['dnf instead of apt', { distribution: rocky }, {}],
  [
    'Debian’s own way of writing a version',
    { engine: { version: '20.10.24+dfsg1', dockerd: '/x', compose: '2.26.1-4', podman: undefined } },
    {},
  ],
])('%s is fine', (_, some, wanted) => {
  expect(judged(some, wanted)).toEqual([]);
});

test('images for another processor are refused before they are copied there', () => {
  expect(judged({}, { images: 'load', archive: 'amd64' })).toEqual([]);
  expect(judged({}, { images: 'load', archive: 'arm64' })).toEqual([
    { kind: 'broken', what: expect.stringMatching(/x86_64.* for arm64/), remedy: expect.anything() },
  ]);
});

test('the same port of another address may be another’s', () => {
  const taken = port({ kind: 'program', name: 'apache2 (process 7)' });
  expect(judged(taken, { bindAddress: '192.0.2.7' }).map(({ kind }) => kind)).toEqual(['warning']);
});

test('what a system can’t build is refused, and what else there is is said', () => {
  expect(judged({ distribution: rocky }, { images: 'build' })).toEqual([
    {
      kind: 'broken',
      what: expect.stringContaining('debootstrap'),
      remedy: expect.stringContaining('IMAGES=load'),
    },
  ]);
});

test('places on one disk share what is free', () => {
  expect(judged(shared(2 * GIB))).toEqual([
    {
      kind: 'broken',
      what: expect.stringMatching(/2 GiB free on the disk of \/srv\/moorage, .*docker and \/usr/),
      remedy: expect.anything(),
    },
  ]);
  expect(judged(shared(3 * GIB))).toEqual([]);
});

test('images that are built take more of it', () => {
  expect(judged(shared(3 * GIB), { images: 'build' })).toHaveLength(1);
});

test('where a registry runs already, little more is needed', () => {
  const again = { ...folder({ content: { kind: 'moorage', version: '0.1.0' } }), ...shared(GIB) };
  const engine = { version: '28.0.0', dockerd: '/usr/bin/dockerd', compose: '2.30.0', podman: undefined };
  expect(judged({ ...again, engine })).toEqual([]);
});

test('only the disk that is too small is named', () => {
  const space = { ...FRESH_MACHINE.space, folder: { fileSystem: '2', free: 100 * MIB } };
  expect(judged({ space })[0]?.what).toMatch(/^only 100 MiB free on the disk of \/srv\/moorage; it takes/);
});

test('on a system that nothing works on, nothing else is told', () => {
  expect(judged({ libc: { kind: 'musl' }, memory: 1, ...shared(0) })).toHaveLength(1);
});
