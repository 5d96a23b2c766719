import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PLAIN_UNIT } from '../../test/support/unit-facts.ts';
import { Failure } from '../errors.ts';
import { isUnitOf, type UnitFacts, unitName, unitText } from './unit.ts';

const lines = (some: Partial<UnitFacts>) => unitText({ ...PLAIN_UNIT, ...some }).split('\n');
const values = (name: string, some: Partial<UnitFacts>) =>
  lines(some)
    .filter((line) => line.startsWith(`${name}=`))
    .map((line) => line.slice(name.length + 1));

test('the unit of a plain checkout, as a whole', () => {
  expect(unitText({ ...PLAIN_UNIT, engineGroup: 'docker' })).toMatchInlineSnapshot(`
    "# Written by \`npm run daemon -- --install\` and taken away by --uninstall. Changes of your own: systemctl edit moorage-renewer.service
    [Unit]
    Description=Keeps the certificate of the registry moorage fresh
    After=network-online.target docker.service
    Wants=network-online.target docker.service
    StartLimitIntervalSec=0

    [Service]
    Type=exec
    WorkingDirectory=/srv/moorage
    ExecStart=:/usr/bin/node scripts/start.mjs daemon
    Environment=TMPDIR=/run/moorage-renewer
    User=ada
    Group=ada
    SupplementaryGroups=docker
    Restart=on-failure
    RestartSec=30
    # A certificate that is being fetched is better finished than recovered; hooks end with the daemon, not before it.
    TimeoutStopSec=120
    KillMode=mixed
    # nginx, somebody else, has to reach chain and challenges. Secrets get mode 0600 one by one.
    UMask=0022

    ProtectSystem=strict
    ReadWritePaths=/srv/moorage/var
    RuntimeDirectory=moorage-renewer
    PrivateTmp=yes
    ProtectHome=yes
    PrivateDevices=yes
    NoNewPrivileges=yes
    CapabilityBoundingSet=
    RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
    RestrictNamespaces=yes
    RestrictRealtime=yes
    RestrictSUIDSGID=yes
    LockPersonality=yes
    ProtectClock=yes
    ProtectHostname=yes
    ProtectControlGroups=yes
    ProtectKernelLogs=yes
    ProtectKernelModules=yes
    ProtectKernelTunables=yes
    ProtectProc=invisible
    SystemCallArchitectures=native
    SystemCallFilter=@system-service
    SystemCallFilter=~@privileged @resources
    SystemCallErrorNumber=EPERM

    [Install]
    WantedBy=multi-user.target
    "
  `);
});

test('a second registry has a unit of its own', () => {
  expect([unitName('moorage'), unitName('team-b')]).toEqual([
    'moorage-renewer.service',
    'team-b-renewer.service',
  ]);
  expect(values('RuntimeDirectory', { project: 'team-b' })).toEqual(['team-b-renewer']);
});

test('specifiers, spaces, quotes and backslashes in the path mean themselves', () => {
  const checkout = '/srv/50% "my" \\reg';
  expect(values('WorkingDirectory', { checkout })).toEqual(['/srv/50%% "my" \\reg']);
  expect(values('ReadWritePaths', { checkout })).toEqual(['"/srv/50%% \\"my\\" \\\\reg/var"']);
});

test('so they do in Node’s path, where no variable is expanded either', () => {
  expect(values('ExecStart', { node: '/opt/$HOME/no de%n' })).toEqual([
    ':"/opt/$HOME/no de%%n" scripts/start.mjs daemon',
  ]);
});

test('the engine’s address goes with it, whatever is in it', () => {
  expect(values('Environment', { environment: { DOCKER_HOST: 'unix:///run/a "b" %t.sock' } })).toEqual([
    '"DOCKER_HOST=unix:///run/a \\"b\\" %%t.sock"',
    'TMPDIR=/run/moorage-renewer',
  ]);
});

test('the engine’s socket is out of reach where it is not needed', () => {
  expect(values('InaccessiblePaths', { hidden: ['/run/docker.sock'] })).toEqual(['-/run/docker.sock']);
  expect(values('InaccessiblePaths', { hidden: ['/run/my docker.sock'] })).toEqual([
    '"-/run/my docker.sock"',
  ]);
  expect(values('InaccessiblePaths', {})).toEqual([]);
});

test.each([
  ['the checkout', { checkout: '/home/ada/moorage' }],
  ['Node', { node: '/home/ada/.nvm/versions/node/v22.21.1/bin/node' }],
  ['a rootless engine', { reads: ['/run/user/1000/docker.sock'] }],
  ['a hook', { reads: [join('/', 'root', 'hook')] }],
])('homes can be read where %s is in one, and not otherwise', (_, some) => {
  expect(values('ProtectHome', some)).toEqual(['read-only']);
  expect(values('ProtectHome', { checkout: '/homestead' })).toEqual(['yes']);
});

test.each([
  ['a line break', '/srv/a\nExecStartPre=/bin/evil'],
  ['a carriage return', '/srv/a\rb'],
  ['a backslash at the end, which continues the line', '/srv/a\\'],
  ['a space at the end, which is trimmed', '/srv/a '],
  ['a place that services do not see', '/var/tmp/a'],
])('refused: a checkout with %s', (_, checkout) => {
  expect(() => unitText({ ...PLAIN_UNIT, checkout })).toThrow(
    expect.objectContaining({ code: 'unfit-place' }),
  );
});

test('no path can add a line, end a word early or name another place', () => {
  const plain = unitText(PLAIN_UNIT).split('\n').length;
  const segment = fc.string({ unit: fc.constantFrom(...'ab "\'\\%$;#~-=\n\r\t\0é'), minLength: 1 });
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1 }), segment, (segments, node) => {
      const checkout = `/srv/${segments.join('/')}`;
      let text: string;
      try {
        text = unitText({
          ...PLAIN_UNIT,
          checkout,
          node: `/opt/${node}`,
          environment: { DOCKER_HOST: node },
        });
      } catch (error) {
        return error instanceof Failure && error.code === 'unfit-place';
      }
      const found = text.split(/[\n\r\0]/);
      const of = (name: string) =>
        found.find((line) => line.startsWith(name))?.slice(name.length) ?? 'missing';
      expect(found.length).toBe(plain + 1);
      expect(found.filter((line) => line.endsWith('\\'))).toEqual([]);
      expect(of('WorkingDirectory=').replaceAll('%%', '%')).toBe(checkout);
      expect(words(of('ReadWritePaths='))).toEqual([`${checkout}/var`]);
      expect(words(of('ExecStart=:'))).toEqual([`/opt/${node}`, 'scripts/start.mjs', 'daemon']);
      expect(words(of('Environment='))).toEqual([`DOCKER_HOST=${node}`]);
      return true;
    }),
  );
});

test('a unit is known by the checkout it serves', () => {
  const text = unitText({ ...PLAIN_UNIT, checkout: '/srv/50% mine' });
  expect(isUnitOf(text, '/srv/50% mine')).toBe(true);
  expect(isUnitOf(text, '/srv/50%')).toBe(false);
});

/** As systemd splits and unquotes (systemd.syntax(7)), specifiers undone. */
function words(value: string): string[] {
  const found = value.match(/"(?:[^"\\]|\\.)*"|[^\s"']+/gs) ?? [];
  expect(found.join(' ')).toBe(value);
  return found.map((word) =>
    (word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/gs, '$1') : word).replaceAll('%%', '%'),
  );
}
