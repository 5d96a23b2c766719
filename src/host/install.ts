import { Failure, unreachable } from '../errors.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import type { Clock } from '../system/clock.ts';
import type { Run } from '../system/processes.ts';
import { candidate, installPackages } from './apt.ts';
import { installComposePlugin } from './compose-plugin.ts';
import { dockerRepositoryAnswers, type Fetch, installFromDocker } from './docker-repository.ts';
import { engineAddress, gatherFacts, type HostFacts } from './facts.ts';
import {
  type Action,
  commandsOf,
  ENGINE_PACKAGES,
  expectInstallable,
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
export type Consent = (actions: readonly Action[]) => Promise<boolean>;

/**
 * Makes sure that an engine answers and that Compose v2 is there. On a machine that has both nothing is touched.
 * @throws Failure `consent-needed`, `root-needed`, `unsupported-system`, `engine-permission`, `engine-unreachable`
 */
export async function ensureEngine(host: Host, consent: Consent, report: Report): Promise<Done> {
  const facts = await gatherFacts(host);
  if (facts.engine.kind === 'forbidden') throw facts.engine.failure;
  if (facts.engine.kind === 'answers' && facts.compose !== undefined) {
    return unchanged(`Docker ${facts.engine.version}, Compose ${facts.compose}`);
  }
  if (facts.engine.kind === 'silent' && host.dockerHost !== undefined) throw distantEngine(host.dockerHost);
  const actions = planEngine(facts, await findSources(host, facts));
  await agree(facts, actions, consent);
  for (const action of actions) await take(action, host, facts, report);
  const after = await gatherFacts(host);
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
  switch (action.kind) {
    case 'install-from-docker':
      return installFromDocker(host, facts.distribution, report);
    case 'install-engine':
      return installPackages(run, ENGINE_PACKAGES, report);
    case 'install-compose': {
      const name = await composePackage(run);
      return name === undefined ? installComposePlugin(run, report) : installPackages(run, [name], report);
    }
    case 'start-engine':
      return startEngine(
        { ...host, systemd: facts.systemd, dockerd: facts.dockerd ?? '/usr/sbin/dockerd' },
        report,
      );
    case 'install-debootstrap':
      return installPackages(run, ['debootstrap', 'debian-archive-keyring'], report);
    case 'install-restic':
      return installPackages(run, ['restic'], report);
    default:
      return unreachable(action.kind);
  }
}

export async function findSources({ run, fetch }: Host, { distribution }: HostFacts): Promise<Sources> {
  if (!distribution.debianLike) return { dockerRepository: false, composePackage: undefined };
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

function distantEngine(dockerHost: string): Failure {
  return new Failure(
    'engine-unreachable',
    `No engine answers at ${engineAddress(dockerHost)}, which DOCKER_HOST names.`,
    'Start that engine, or unset DOCKER_HOST to use one on this machine.',
  );
}
