import { Failure } from '../errors.ts';
import { type Distribution, distributionName } from './distribution.ts';
import type { HostFacts } from './facts.ts';

/** What somebody is to agree to. The consent question and the commands to run by hand are made from it. */
export interface Proposal {
  /** For the question: "install Docker Engine from Debian (docker.io)". */
  readonly phrase: string;
  /** What a person would type as root. */
  readonly commands: readonly string[];
}

/** One thing to do to the machine. */
export interface Action extends Proposal {
  readonly kind:
    | 'install-from-docker'
    | 'install-engine'
    | 'install-compose'
    | 'start-engine'
    | 'install-debootstrap';
}

export const DOCKER_PACKAGES = [
  'docker-ce',
  'docker-ce-cli',
  'containerd.io',
  'docker-compose-plugin',
] as const;
export const COMPOSE_PACKAGES = ['docker-compose-plugin'] as const;
export const ENGINE_PACKAGES = ['docker.io', 'iptables', 'ca-certificates'] as const;
export const DNF_REPOSITORY_FILE = '/etc/yum.repos.d/docker-ce.repo';
export const PLUGIN_FOLDER = '/usr/local/lib/docker/cli-plugins';
/** The first Debian release whose docker-compose is version 2. */
export const COMPOSE_SUITE = 'trixie';

/** Where packages can come from, as far as it matters. */
export interface Sources {
  /** Docker's own repository, for apt or dnf, answers. */
  readonly dockerRepository: boolean;
  /** The distribution's own package that has Compose v2, if any. */
  readonly composePackage: string | undefined;
}

/** What is missing for an engine with Compose v2, in order. Nothing on a machine that has both. */
export function planEngine(facts: HostFacts, sources: Sources): Action[] {
  const { engine, compose, dockerd, distribution } = facts;
  const actions: Action[] = [];
  const engineMissing = engine.kind !== 'answers' && dockerd === undefined;
  if (distribution.family === 'redhat') {
    // There is no other source: RHEL has Podman, and Fedora's own Docker may not stand beside Docker's Compose.
    if (engineMissing) actions.push(dnfFromDocker(distribution, DOCKER_PACKAGES, 'install-from-docker'));
    else if (compose === undefined)
      actions.push(dnfFromDocker(distribution, COMPOSE_PACKAGES, 'install-compose'));
  } else if (engineMissing && sources.dockerRepository) {
    actions.push(fromDocker(facts));
  } else {
    if (engineMissing) actions.push(fromDistribution(facts));
    if (compose === undefined) actions.push(composePlugin(facts, sources));
  }
  if (engine.kind !== 'answers') actions.push(start(facts));
  return actions;
}

/** @throws Failure `unsupported-system` where images cannot be built */
export function planDebootstrap({ distribution }: Pick<HostFacts, 'distribution'>): Action {
  if (distribution.family !== 'debian')
    throw new Failure(
      'unsupported-system',
      `Images are built from Debian packages by debootstrap, which Moorage has from Debian and Ubuntu only; this is ${distributionName(distribution)}.`,
      'Set IMAGES=pull where an image registry is in reach, or IMAGES=load with an archive of the images.',
    );
  return {
    kind: 'install-debootstrap',
    phrase: `install debootstrap from ${distributionName(distribution)}, to build images from Debian packages`,
    commands: ['apt-get install -y --no-install-recommends debootstrap debian-archive-keyring'],
  };
}

/** @throws Failure when this machine is not one that Moorage can install on */
export function expectInstallable(facts: HostFacts, actions: readonly Action[]): void {
  if (actions.length === 0) return;
  if (facts.distribution.family === 'other' && actions.some(({ kind }) => kind !== 'start-engine')) {
    throw new Failure(
      'unsupported-system',
      `Docker is missing, and Moorage installs it on Debian, Ubuntu, RHEL and its kin only; this is ${distributionName(facts.distribution)}.`,
      'Install Docker Engine and its Compose plugin (https://docs.docker.com/engine/install/), then run this again.',
    );
  }
  if (facts.root) return;
  throw new Failure(
    'root-needed',
    'This machine lacks something that only root can install.',
    `Run these, then this again:\n${commandsOf(actions, 'sudo ').join('\n')}`,
  );
}

/** Docker makes packages for RHEL, CentOS and Fedora; the rebuilds take those of CentOS. */
export function dnfRepository(id: string): string {
  return `https://download.docker.com/linux/${id === 'rhel' || id === 'fedora' ? id : 'centos'}`;
}

/** Each may have `sudo` before it: what a shell makes of it is in a shell of its own. */
export function commandsOf(actions: readonly Proposal[], prefix = ''): string[] {
  return actions.flatMap(({ commands }) => commands.map((command) => `  ${prefix}${command}`));
}

function fromDocker({ distribution }: HostFacts): Action {
  const repository = `https://download.docker.com/linux/${distribution.id}`;
  return {
    kind: 'install-from-docker',
    phrase: 'install Docker Engine and Compose from Docker’s own apt repository',
    commands: [
      'apt-get update',
      'apt-get install -y ca-certificates curl',
      'mkdir -p /etc/apt/keyrings',
      `curl -fsSL ${repository}/gpg -o /etc/apt/keyrings/docker.asc`,
      `sh -c 'echo "deb [signed-by=/etc/apt/keyrings/docker.asc] ${repository} ${distribution.codename} stable" > /etc/apt/sources.list.d/docker.list'`,
      'apt-get update',
      `apt-get install -y ${DOCKER_PACKAGES.join(' ')}`,
    ],
  };
}

function dnfFromDocker(
  { id }: Distribution,
  packages: readonly string[],
  kind: 'install-from-docker' | 'install-compose',
): Action {
  const what = kind === 'install-compose' ? 'Compose' : 'Docker Engine and Compose';
  return {
    kind,
    phrase: `install ${what} from Docker’s own dnf repository`,
    commands: [
      `curl -fsSL ${dnfRepository(id)}/docker-ce.repo -o ${DNF_REPOSITORY_FILE}`,
      `dnf install -y ${packages.join(' ')}`,
    ],
  };
}

function fromDistribution({ distribution }: HostFacts): Action {
  return {
    kind: 'install-engine',
    phrase: `install Docker Engine from ${distributionName(distribution)} (docker.io)`,
    commands: ['apt-get update', `apt-get install -y --no-install-recommends ${ENGINE_PACKAGES.join(' ')}`],
  };
}

function composePlugin({ distribution }: HostFacts, { composePackage }: Sources): Action {
  if (composePackage !== undefined) {
    return {
      kind: 'install-compose',
      phrase: `install Compose from ${distribution.id} (${composePackage})`,
      commands: [`apt-get install -y --no-install-recommends ${composePackage}`],
    };
  }
  return {
    kind: 'install-compose',
    phrase: `install Compose v2 from Debian ${COMPOSE_SUITE} (one program, into ${PLUGIN_FOLDER})`,
    commands: [
      `apt-get download docker-compose # with the suite ${COMPOSE_SUITE} among the apt sources`,
      'dpkg-deb -x docker-compose_*.deb compose',
      `install -D compose/usr/libexec/docker/cli-plugins/docker-compose ${PLUGIN_FOLDER}/docker-compose`,
    ],
  };
}

function start({ systemd }: HostFacts): Action {
  return {
    kind: 'start-engine',
    phrase: 'start Docker Engine',
    commands: [systemd ? 'systemctl enable --now docker' : `sh -c 'dockerd > /var/log/dockerd.log 2>&1 &'`],
  };
}
