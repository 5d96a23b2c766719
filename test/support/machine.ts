import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../src/errors.ts';
import { installPackages } from '../../src/host/apt.ts';
import { engineState, gatherFacts } from '../../src/host/facts.ts';
import { findSources, type Host, take } from '../../src/host/install.ts';
import { expectInstallable, planEngine } from '../../src/host/plan.ts';
import { changed, type Done, type Report, unchanged } from '../../src/step.ts';
import { eventually } from '../../src/system/clock.ts';

/** What the tests run beside the product's own needs: a second client, a browser, and Apache's tool for users files. */
const PROGRAMS: Readonly<Record<string, string>> = {
  debootstrap: 'debootstrap',
  skopeo: 'skopeo',
  htpasswd: 'apache2-utils',
  curl: 'curl',
  openssl: 'openssl',
  git: 'git',
  chromium: 'chromium',
  restic: 'restic',
  sshd: 'openssh-server',
  ssh: 'openssh-client',
  rsync: 'rsync',
  tinyproxy: 'tinyproxy',
};

/** Keeps images between two runs; on a disk, as overlay2 can't stand on an overlay. */
const OWN_ENGINE = '/var/tmp/moorage-test-engine';

export async function installPrograms(host: Host, report: Report): Promise<Done> {
  const missing: string[] = [];
  for (const [program, name] of Object.entries(PROGRAMS)) {
    if ((await host.run('which', [program])).exitCode !== 0) missing.push(name);
  }
  if (missing.length === 0) return unchanged('all there');
  if (!host.root) {
    throw new Failure(
      'programs-missing',
      `The tests need ${missing.join(', ')}.`,
      `sudo apt-get install ${missing.join(' ')}`,
    );
  }
  await installPackages(host.run, missing, report);
  return changed(missing.join(', '));
}

export interface TestEngine {
  /** For DOCKER_HOST; `undefined` is the machine's own. */
  readonly dockerHost: string | undefined;
  readonly stop: () => Promise<void>;
}

/** The engine that runs here, or one of the tests' own beside nothing: other containers are never touched. */
export async function openTestEngine(host: Host, report: Report): Promise<Done<TestEngine>> {
  await installEngine(host, report);
  const state = await engineState(host.dockerHost);
  if (state.kind === 'answers') {
    return unchanged(`Docker ${state.version}, as it runs here`, {
      dockerHost: host.dockerHost,
      stop: async () => {},
    });
  }
  const dockerHost = `unix://${OWN_ENGINE}/docker.sock`;
  const stop = await startOwnEngine(host, dockerHost, report);
  return changed('Docker, of the tests’ own', { dockerHost, stop });
}

async function installEngine(host: Host, report: Report): Promise<void> {
  const facts = await gatherFacts(host);
  const actions = planEngine(facts, await findSources(host, facts)).filter(
    ({ kind }) => kind !== 'start-engine',
  );
  expectInstallable(facts, actions);
  for (const action of actions) await take(action, host, facts, report);
}

async function startOwnEngine(host: Host, dockerHost: string, report: Report): Promise<() => Promise<void>> {
  report('starting an engine for the tests');
  await mkdir(OWN_ENGINE, { recursive: true });
  const log = await open(join(OWN_ENGINE, 'log'), 'w');
  const { dockerd } = await gatherFacts(host);
  const options = {
    '--data-root': 'data',
    '--exec-root': 'exec',
    '--pidfile': 'docker.pid',
  };
  const args = Object.entries(options).flatMap(([option, name]) => [option, join(OWN_ENGINE, name)]);
  const child = spawn(dockerd ?? 'dockerd', ['--host', dockerHost, ...args], {
    stdio: ['ignore', log.fd, log.fd],
  });
  await log.close();
  const up = await eventually(host.clock, { within: 60_000, every: 200 }, async () =>
    child.exitCode === null && (await engineState(dockerHost)).kind === 'answers' ? true : undefined,
  );
  if (up !== true) {
    throw new Failure(
      'engine-unreachable',
      `The tests' engine does not start:\n${await readFile(join(OWN_ENGINE, 'log'), 'utf8')}`,
      'Fix what it reports.',
    );
  }
  return async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  };
}

/** The packages that only tests need: `npm ci` has left them out when a command came first. */
export async function installDevelopmentPackages({ run }: Host, root: string, report: Report): Promise<Done> {
  if (existsSync(join(root, 'node_modules/vitest'))) return unchanged('all there');
  report('npm ci');
  const result = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root });
  if (result.exitCode !== 0)
    throw new Failure('npm-failed', `npm ci failed:\n${result.stderr}`, 'Fix what npm reports.');
  return changed('installed');
}
