import { expect, test } from 'vitest';
import { FRESH_MACHINE } from '../../test/support/machine-facts.ts';
import { RecordedHost } from '../../test/support/recorded-host.ts';
import { commandsOf } from '../host/plan.ts';
import { systemClock } from '../system/clock.ts';
import type { MachineFacts } from './machine-facts.ts';
import { CARRIED_VERSIONS } from './pinned.ts';
import { installPrograms, planPrograms, proposeDocker } from './programs.ts';

const ours = {
  path: `/usr/local/lib/moorage/node-${CARRIED_VERSIONS.node}/bin/node`,
  version: `v${CARRIED_VERSIONS.node}`,
};
const system = (id: string, version: string): Partial<MachineFacts> => ({
  distribution: {
    id,
    version,
    codename: '',
    family: ['debian', 'ubuntu'].includes(id) ? 'debian' : 'redhat',
  },
});
const node = (some: Partial<MachineFacts['node']>) => ({ node: { ...FRESH_MACHINE.node, ...some } });

function planned(some: Partial<MachineFacts>): string[] {
  return planPrograms({ ...FRESH_MACHINE, ...some }).map(({ kind, packages, module }) =>
    [kind, ...packages, ...(module === undefined ? [] : [module])].join(' '),
  );
}

test.each<[string, Partial<MachineFacts>, string[]]>([
  ['Debian 12', {}, ['install-packages rsync', 'carry-node', 'carry-npm']],
  ['Debian 13', system('debian', '13'), ['install-packages rsync nodejs', 'carry-npm']],
  ['Ubuntu 24.04', system('ubuntu', '24.04'), ['install-packages rsync', 'carry-node', 'carry-npm']],
  ['Ubuntu 25.10', system('ubuntu', '25.10'), ['install-packages rsync nodejs', 'carry-npm']],
  [
    'Debian 12 with packages of nodesource',
    node({ candidate: '22.3.0-1nodesource1' }),
    ['install-packages rsync nodejs', 'carry-npm'],
  ],
  [
    'Debian 13 whose apt says otherwise',
    { ...system('debian', '13'), ...node({ candidate: '1:18.2.0' }) },
    ['install-packages rsync', 'carry-node', 'carry-npm'],
  ],
  ['RHEL 8', system('rhel', '8.10'), ['install-packages rsync nodejs npm nodejs:22']],
  ['Rocky 9', system('rocky', '9.4'), ['install-packages rsync nodejs npm nodejs:22']],
  ['CentOS Stream 10', system('centos', '10'), ['install-packages rsync nodejs npm']],
  ['Fedora 42', system('fedora', '42'), ['install-packages rsync nodejs npm']],
  [
    'a Node that is new enough',
    { rsync: true, ...node({ present: { path: '/usr/bin/node', version: 'v20.19.2' }, npm: '10.8.2' }) },
    [],
  ],
  [
    'a Node without npm',
    { rsync: true, ...node({ present: { path: '/usr/bin/node', version: 'v20.19.2' } }) },
    ['carry-npm'],
  ],
  [
    'an older Node on a system whose packages are newer: it is not ours to change',
    {
      ...system('rocky', '9.4'),
      rsync: true,
      ...node({ present: { path: '/usr/bin/node', version: 'v16.20.2' }, npm: '8.19.4' }),
    },
    ['carry-node', 'carry-npm'],
  ],
  ['Node of ours', { rsync: true, ...node({ present: ours, npm: CARRIED_VERSIONS.npm }) }, []],
  ['Node of ours, its npm not yet', { rsync: true, ...node({ present: ours }) }, ['carry-npm']],
  [
    'Node of ours beside an old npm',
    { rsync: true, ...node({ present: ours, npm: '9.2.0' }) },
    ['carry-npm'],
  ],
  [
    'an older Node of ours',
    {
      rsync: true,
      ...node({
        present: { path: '/usr/local/lib/moorage/node-22.1.0/bin/node', version: 'v22.1.0' },
        npm: '10.9.9',
      }),
    },
    ['carry-node', 'carry-npm'],
  ],
])('%s', (_, some, expected) => {
  expect(planned(some)).toEqual(expected);
});

test('what is asked for can be read, and typed', () => {
  const actions = planPrograms({ ...FRESH_MACHINE, ...system('rocky', '9.4') });
  expect(actions.map(({ phrase }) => phrase)).toEqual(['install rsync, nodejs, npm from Rocky Linux']);
  expect(commandsOf(actions)).toEqual([
    '  dnf module enable -y nodejs:22',
    '  dnf install -y --setopt=install_weak_deps=False rsync nodejs npm',
  ]);
});

test('on a system with dnf all comes by dnf, without questions', async () => {
  const host = new RecordedHost((line) =>
    line.includes('node --version') ? { stdout: 'v22.1.0\n10.9.0' } : {},
  );
  const facts = { ...FRESH_MACHINE, ...system('rocky', '9.4') };
  const run = () => Promise.reject(new Error('nothing is run here'));
  const done = await installPrograms(
    { host, run, clock: systemClock, cache: '/nowhere', proxy: {} },
    facts,
    planPrograms(facts),
    () => {},
  );
  expect(done).toMatchObject({ changed: true, summary: 'Node 22.1.0, npm 10.9.0 and rsync installed' });
  expect(host.ran.map((line) => line.replace(/^env (\w+=\S+ )+/, ''))).toEqual([
    'dnf -y module enable nodejs:22',
    'dnf -y install --setopt=install_weak_deps=False rsync nodejs npm',
    'sh -c node --version && npm --version',
    `sh -s -- /usr/local/lib/moorage node-${CARRIED_VERSIONS.node} npm-${CARRIED_VERSIONS.npm}`,
  ]);
});

test('a Node that commands there do not find is no success', async () => {
  const host = new RecordedHost(() => ({ exitCode: 127, stderr: 'sh: 1: node: not found' }));
  const run = () => Promise.reject(new Error('nothing is run here'));
  const installed = installPrograms(
    { host, run, clock: systemClock, cache: '/nowhere', proxy: {} },
    FRESH_MACHINE,
    [],
    () => {},
  );
  await expect(installed).rejects.toMatchObject({
    code: 'node-not-found',
    remedy: expect.stringContaining('secure_path'),
  });
});

test.each<[string, Partial<MachineFacts>, RegExp | undefined]>([
  ['missing', {}, /^install Docker Engine and Compose from .*apt.*Debian/],
  ['missing where there is dnf', system('rocky', '9.4'), /^install Docker Engine and Compose from .*dnf/],
  [
    'without Compose',
    { engine: { version: '28.0', dockerd: '/x', compose: undefined, podman: undefined } },
    /^install Compose/,
  ],
  [
    'stopped',
    { engine: { version: undefined, dockerd: '/x', compose: '2.30', podman: undefined } },
    /^start Docker/,
  ],
  ['there', { engine: { version: '28.0', dockerd: '/x', compose: '2.30', podman: undefined } }, undefined],
])('Docker that is %s', (_, some, phrase) => {
  const proposed = proposeDocker({ ...FRESH_MACHINE, ...some })?.phrase;
  expect(proposed).toEqual(phrase && expect.stringMatching(phrase));
});
