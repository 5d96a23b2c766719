import type { MachineFacts } from '../../src/deploy/machine-facts.ts';

const GIB = 1024 ** 3;

/** A fresh Debian 12 of a usual size, fit for everything. */
export const FRESH_MACHINE: MachineFacts = {
  distribution: { id: 'debian', version: '12', codename: 'bookworm', family: 'debian' },
  system: 'Debian GNU/Linux 12 (bookworm)',
  machine: 'x86_64',
  architecture: 'x64',
  libc: { kind: 'glibc', version: '2.36' },
  systemd: true,
  memory: 2 * GIB,
  swap: 0,
  space: {
    folder: { fileSystem: '1', free: 20 * GIB },
    docker: { fileSystem: '1', free: 20 * GIB },
    programs: { fileSystem: '1', free: 20 * GIB },
  },
  ports: [
    { port: 80, holder: { kind: 'nobody' } },
    { port: 443, holder: { kind: 'nobody' } },
  ],
  clock: { ahead: 0, uncertainty: 100 },
  engine: { version: undefined, dockerd: undefined, compose: undefined, podman: undefined },
  node: { present: undefined, npm: undefined, candidate: undefined, taken: [] },
  rsync: false,
  folder: {
    path: '/srv/moorage',
    content: { kind: 'nothing' },
    uncommitted: [],
    gitFailed: undefined,
    blocked: undefined,
    readOnly: false,
    unmounted: undefined,
  },
};
