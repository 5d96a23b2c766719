import { expect, test } from 'vitest';
import type { Distribution } from './distribution.ts';
import type { HostFacts } from './facts.ts';
import { commandsOf, expectInstallable, planDebootstrap, planEngine, type Sources } from './plan.ts';

const debian12: HostFacts = {
  engine: { kind: 'silent' },
  compose: undefined,
  dockerd: undefined,
  root: true,
  systemd: false,
  distribution: { id: 'debian', version: '12', codename: 'bookworm', family: 'debian' },
};
const nothing: Sources = { dockerRepository: false, composePackage: undefined };
const running: Partial<HostFacts> = {
  engine: { kind: 'answers', version: '28.0' },
  dockerd: '/usr/bin/dockerd',
};

function kinds(facts: Partial<HostFacts>, sources: Partial<Sources> = {}): string[] {
  return planEngine({ ...debian12, ...facts }, { ...nothing, ...sources }).map(({ kind }) => kind);
}

test.each<[string, string[], string[]]>([
  ['nothing is missing: nothing is done', kinds({ ...running, compose: '2.40.0' }), []],
  [
    'a bare machine that reaches Docker’s repository',
    kinds({}, { dockerRepository: true }),
    ['install-from-docker', 'start-engine'],
  ],
  [
    'a bare machine that reaches only its distribution',
    kinds({}),
    ['install-engine', 'install-compose', 'start-engine'],
  ],
  ['an engine that runs, without Compose v2', kinds(running), ['install-compose']],
  [
    'an engine that is installed and does not run',
    kinds({ dockerd: '/usr/sbin/dockerd', compose: '2.26.1' }),
    ['start-engine'],
  ],
  ['a client without an engine', kinds({ compose: '2.26.1' }), ['install-engine', 'start-engine']],
])('%s', (_, planned, expected) => {
  expect(planned).toEqual(expected);
});

test('an engine that is there is never exchanged for Docker’s own', () => {
  expect(kinds(running, { dockerRepository: true })).toEqual(['install-compose']);
});

test('the engine is started by systemd where systemd runs, and directly elsewhere', () => {
  const commands = (systemd: boolean) => commandsOf(planEngine({ ...debian12, systemd }, nothing)).join('\n');
  expect(commands(true)).toContain('systemctl enable --now docker');
  expect(commands(false)).toContain('dockerd > /var/log/dockerd.log');
});

test('Compose comes from the distribution where it has version 2', () => {
  const [, compose] = planEngine(debian12, { ...nothing, composePackage: 'docker-compose-v2' });
  expect(compose?.commands).toEqual(['apt-get install -y --no-install-recommends docker-compose-v2']);
});

test('without root: exit 1 with the very commands, for sudo', () => {
  const actions = planEngine(debian12, nothing);
  expect(() => expectInstallable({ ...debian12, root: false }, actions)).toThrow(
    expect.objectContaining({
      code: 'root-needed',
      remedy: expect.stringContaining('  sudo apt-get install'),
    }),
  );
  expect(() => expectInstallable({ ...debian12, root: false }, [])).not.toThrow();
});

test.each([
  ['Docker’s repository', { ...nothing, dockerRepository: true }],
  ['packages of the distribution', { ...nothing, composePackage: 'docker-compose-v2' }],
  ['Compose alone', nothing],
])('with sudo before them the commands do as root all that they do: %s', (_, sources) => {
  const all = planEngine({ ...debian12, systemd: false }, sources).flatMap(({ commands }) => commands);
  const outside = all.map((command) => command.replace(/^sh -c '[^']*'$/, '').replace(/ # .*$/, ''));
  expect(outside.filter((command) => /[<>|&;]/.test(command))).toEqual([]);
});

test('on another system: exit 1 with where to read on; starting an engine that is there is fine anywhere', () => {
  const arch = on({ id: 'arch', version: '', codename: '', family: 'other' });
  expect(() => expectInstallable(arch, planEngine(arch, nothing))).toThrow(
    expect.objectContaining({
      code: 'unsupported-system',
      remedy: expect.stringContaining('docs.docker.com'),
    }),
  );
  const stopped = { ...arch, dockerd: '/usr/bin/dockerd', compose: '2.40.0' };
  expect(() => expectInstallable(stopped, planEngine(stopped, nothing))).not.toThrow();
});

test.each([
  ['rhel', 'https://download.docker.com/linux/rhel/docker-ce.repo'],
  ['rocky', 'https://download.docker.com/linux/centos/docker-ce.repo'],
  ['fedora', 'https://download.docker.com/linux/fedora/docker-ce.repo'],
])('on %s Docker comes from its own dnf repository', (id, repository) => {
  const facts = on({ id, version: '9.4', codename: '', family: 'redhat' });
  const actions = planEngine(facts, nothing);
  expect(actions.map(({ kind }) => kind)).toEqual(['install-from-docker', 'start-engine']);
  expect(commandsOf(actions).join('\n')).toContain(repository);
  expect(commandsOf(actions).join('\n')).not.toContain('apt');
  expect(() => expectInstallable(facts, actions)).not.toThrow();
});

test('an engine of that family that lacks Compose gets Compose alone', () => {
  const rocky = on({ id: 'rocky', version: '9.4', codename: '', family: 'redhat' });
  const [compose, ...others] = planEngine({ ...rocky, ...running }, nothing);
  expect([compose?.kind, others]).toEqual(['install-compose', []]);
  expect(compose?.commands.at(-1)).toBe('dnf install -y docker-compose-plugin');
});

test('images can’t be built where there is no debootstrap, and it is said what else there is', () => {
  const fedora = on({ id: 'fedora', version: '42', codename: '', family: 'redhat' });
  expect(() => planDebootstrap(fedora)).toThrow(
    expect.objectContaining({
      code: 'unsupported-system',
      remedy: expect.stringMatching(/IMAGES=pull.*IMAGES=load/),
    }),
  );
});

function on(distribution: Distribution): HostFacts {
  return { ...debian12, distribution };
}
