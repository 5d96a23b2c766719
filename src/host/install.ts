import { Failure, unreachable } from '../errors.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import type { Clock } from '../system/clock.ts';
import type { Run } from '../system/processes.ts';
import { candidate, installPackages } from './apt.ts';
import { installComposePlugin } from './compose-plugin.ts';
import { dnfInstallFromDocker } from './docker-dnf-repository.ts';
import { dockerRepositoryAnswers, type Fetch, installFromDocker } from './docker-repository.ts';
import { expectDockersCommand, gatherFacts, type HostFacts } from './facts.ts';
import {
  type Action,
  COMPOSE_PACKAGES,
  commandsOf,
  DOCKER_PACKAGES,
  ENGINE_PACKAGES,
  expectInstallable,
  type Proposal,
  planDebootstrap,
  planEngine,
  type Sources,
} from './plan.ts';
import { startEngine } from './start-engine.ts';

export interface Host {
  readonly run: Run;
  readonly clock: Clock;
  readonly fetch: Fetch;
  /** DOCKER_HOST, when the person set it. */
  readonly dockerHost: string | undefined;
  readonly root: boolean;
}

/** Asks whether these actions may be taken. */
export type Consent = (actions: readonly Proposal[]) => Promise<boolean>;

/**
 * Makes sure that an engine answers and that Compose v2 is there. On a machine that has both nothing is touched.
 * @throws Failure `consent-needed`, `root-needed`, `unsupported-system`, `engine-permission`, `podman`, `engine-unreachable`, `compose-missing`
 */
export async function ensureEngine(host: Host, consent: Consent, report: Report): Promise<Done> {
  const facts = await gatherFacts(host);
  if (facts.engine.kind === 'refused') throw facts.engine.failure;
  await expectDockersCommand(host.run);
  if (facts.engine.kind === 'answers' && facts.compose !== undefined) {
    return unchanged(`Docker ${facts.engine.version}, Compose ${facts.compose}`);
  }
  if (facts.engine.kind === 'silent' && host.dockerHost !== undefined) throw distantEngine(host.dockerHost);
  const actions = planEngine(facts, await findSources(host, facts));
  await agree(facts, actions, consent);
  for (const action of actions) await take(action, host, facts, report);
  const after = await gatherFacts(host);
  if (after.compose === undefined) throw composeNotFound();
  const version = after.engine.kind === 'answers' ? after.engine.version : 'silent';
  return changed(`Docker ${version}, Compose ${after.compose}, installed and started`);
}

/** For `Workshop`: makes sure that debootstrap is there once it turns out to be needed. */
export function ensureDebootstrap(host: Host, consent: Consent): (report: Report) => Promise<void> {
  return async (report) => {
    if (!host.root) throw needsRoot();
    if ((await host.run('debootstrap', ['--version'])).exitCode === 0) return;
    const facts = await gatherFacts(host);
    const action = planDebootstrap(facts);
    await agree(facts, [action], consent);
    await take(action, host, facts, report);
  };
}

async function agree(facts: HostFacts, actions: readonly Action[], consent: Consent): Promise<void> {
  expectInstallable(facts, actions);
  if (await consent(actions)) return;
  throw new Failure(
    'consent-needed',
    'This machine lacks something, and nobody agreed to install it.',
    `Run this again with --yes, or run these yourself:\n${commandsOf(actions).join('\n')}`,
  );
}

export async function take(action: Action, host: Host, facts: HostFacts, report: Report): Promise<void> {
  const { run } = host;
  const byDnf = facts.distribution.family === 'redhat';
  switch (action.kind) {
    case 'install-from-docker':
      return byDnf
        ? dnfInstallFromDocker(host, facts.distribution, DOCKER_PACKAGES, report)
        : installFromDocker(host, facts.distribution, report);
    case 'install-engine':
      return installPackages(run, ENGINE_PACKAGES, report);
    case 'install-compose': {
      if (byDnf) return dnfInstallFromDocker(host, facts.distribution, COMPOSE_PACKAGES, report);
      const name = await composePackage(run);
      return name === undefined ? installComposePlugin(run, report) : installPackages(run, [name], report);
    }
    case 'start-engine':
      return startEngine({ ...host, systemd: facts.systemd, dockerd: facts.dockerd ?? 'dockerd' }, report);
    case 'install-debootstrap':
      return installPackages(run, ['debootstrap', 'debian-archive-keyring'], report);
    default:
      return unreachable(action.kind);
  }
}

export async function findSources({ run, fetch }: Host, { distribution }: HostFacts): Promise<Sources> {
  if (distribution.family !== 'debian') return { dockerRepository: false, composePackage: undefined };
  return {
    dockerRepository: await dockerRepositoryAnswers(fetch, distribution),
    composePackage: await composePackage(run),
  };
}

/** Ubuntu calls Compose v2 docker-compose-v2; Debian calls it docker-compose, which is version 1 up to Debian 12. */
async function composePackage(run: Run): Promise<string | undefined> {
  if ((await candidate(run, 'docker-compose-v2')) !== undefined) return 'docker-compose-v2';
  const version = await candidate(run, 'docker-compose');
  return version !== undefined && Number.parseInt(version, 10) >= 2 ? 'docker-compose' : undefined;
}

function needsRoot(): Failure {
  return new Failure(
    'root-needed',
    'Images are built from Debian packages by debootstrap, which needs root.',
    'Run this as root, or set IMAGES=pull where an image registry is in reach.',
  );
}

/** Such as an old plugin of the user's own, which comes before that of the system. */
function composeNotFound(): Failure {
  return new Failure(
    'compose-missing',
    'Compose is installed, but `docker compose version` still finds none of version 2.',
    'See which one it takes (`docker info`, under Plugins; ~/.docker/cli-plugins comes first), then run this again.',
  );
}

function distantEngine(dockerHost: string): Failure {
  return new Failure(
    'engine-unreachable',
    `No engine answers at ${dockerHost}, which DOCKER_HOST names.`,
    'Start that engine, or unset DOCKER_HOST to use one on this machine.',
  );
}
