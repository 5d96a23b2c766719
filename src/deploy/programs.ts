import { Failure, unreachable } from '../errors.ts';
import { installPackages } from '../host/apt.ts';
import { distributionName } from '../host/distribution.ts';
import { dnfInstall, enableModule } from '../host/dnf.ts';
import type { Proposal } from '../host/plan.ts';
import { PROGRAMS_FOLDER } from '../host/programs-here.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import { lastLines, type Run } from '../system/processes.ts';
import { carry, type Porter } from './carry.ts';
import type { Architecture, MachineFacts } from './machine-facts.ts';
import { type NodePlan, planNode } from './node-plan.ts';
import { removeOldPrograms } from './old-programs.ts';
import { CARRIED_VERSIONS, PINNED_NODE, PINNED_NPM } from './pinned.ts';

/** What a machine needs before anything of this project runs there. */
export interface ProgramAction extends Proposal {
  readonly kind: 'install-packages' | 'carry-node' | 'carry-npm';
  /** For `install-packages`. */
  readonly packages: readonly string[];
  /** For dnf: which of several versions (`nodejs:22`). */
  readonly module: string | undefined;
}

/** The stream that RHEL 8 and 9 have, and that is supported longest. */
const NODE_MODULE = 'nodejs:22';

/** What is missing, in order; nothing on a machine that has rsync, Node and npm. */
export function planPrograms(facts: MachineFacts): ProgramAction[] {
  const plan = planNode(facts);
  const packages = [
    ...(facts.rsync ? [] : ['rsync']),
    ...(plan.node === 'packages' ? ['nodejs'] : []),
    ...(plan.npm === 'packages' ? ['npm'] : []),
  ];
  return [
    ...(packages.length === 0 ? [] : [fromPackages(facts, packages, plan)]),
    ...(plan.node === 'carried' ? [carriedNode(facts.architecture)] : []),
    ...(plan.npm === 'carried' ? [carriedNpm()] : []),
  ];
}

/** What the far `init-tls --yes` will do about Docker, to be agreed to beforehand; `undefined`: nothing. */
export function proposeDocker({ engine, distribution, systemd }: MachineFacts): Proposal | undefined {
  const start = systemd ? 'systemctl enable --now docker' : 'dockerd > /var/log/dockerd.log 2>&1 &';
  if (engine.version !== undefined && engine.compose !== undefined) return undefined;
  if (engine.dockerd !== undefined && engine.compose !== undefined)
    return { phrase: 'start Docker Engine', commands: [start] };
  const what = engine.dockerd === undefined ? 'Docker Engine and Compose' : 'Compose';
  const source =
    distribution.family === 'redhat'
      ? 'from Docker’s own dnf repository'
      : `from Docker’s own apt repository, or from ${distributionName(distribution)} where that is out of reach`;
  return { phrase: `install ${what} ${source}`, commands: ['npm run init-tls -- --yes'] };
}

/**
 * Takes the actions of `planPrograms`, and takes away what earlier deployments brought and nobody needs any more. What a
 * kill left half done the next run finishes.
 * @throws Failure `apt-failed`, `dnf-failed`, those of `carry`, `node-not-found`
 */
export async function installPrograms(
  porter: Porter,
  facts: MachineFacts,
  actions: readonly ProgramAction[],
  report: Report,
): Promise<Done> {
  for (const action of actions) await take(action, porter, facts, report);
  const versions = await porter.host.run(['sh', '-c', 'node --version && npm --version']);
  if (versions.exitCode !== 0) throw notFound(porter.host.name, versions.stderr);
  const [node = '', npm = ''] = versions.stdout.split('\n');
  const summary = `Node ${node.replace(/^v/, '')}, npm ${npm} and rsync`;
  const old = await removeOldPrograms(porter.host);
  const gone = old.length === 0 ? '' : `; ${old.join(', ')} removed`;
  if (actions.length > 0) return changed(`${summary} installed${gone}`);
  return old.length > 0 ? changed(`${summary}${gone}`) : unchanged(summary);
}

async function take(action: ProgramAction, porter: Porter, facts: MachineFacts, report: Report) {
  switch (action.kind) {
    case 'install-packages':
      return withPackages(action, runThere(porter), facts, report);
    case 'carry-node':
      return facts.architecture && carry(porter, PINNED_NODE[facts.architecture], report);
    case 'carry-npm':
      return (await hasNpm(porter)) ? undefined : carry(porter, PINNED_NPM, report);
    default:
      return unreachable(action.kind);
  }
}

async function withPackages(
  { packages, module }: ProgramAction,
  there: Run,
  { distribution }: MachineFacts,
  report: Report,
): Promise<void> {
  if (distribution.family !== 'redhat') return installPackages(there, packages, report);
  if (module !== undefined) await enableModule(there, module, report);
  return dnfInstall(there, packages, report);
}

/** Some packages of Node bring npm along. That of a Node which is too old does not count. */
async function hasNpm({ host }: Porter): Promise<boolean> {
  const { exitCode, stdout } = await host.run(['npm', '--version']);
  return exitCode === 0 && Number.parseInt(stdout, 10) >= Number.parseInt(CARRIED_VERSIONS.npm, 10);
}

/** Runs programs of the other machine as if they were here. A proxy may have a password: it goes over standard input. */
function runThere({ host, proxy }: Porter): Run {
  const secrets = Object.entries(proxy).map(([name, value]) => `${name}=${value}\n`);
  return (program, args, { env = {}, input, onLine, timeout } = {}) => {
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const command = ['env', ...variables, program, ...args];
    const options = {
      ...(onLine === undefined ? {} : { onLine }),
      ...(timeout === undefined ? {} : { timeout }),
    };
    if (secrets.length === 0)
      return host.run(command, { ...options, ...(input === undefined ? {} : { input }) });
    const text = `${secrets.join('')}\n${input ?? ''}`;
    return host.run(['sh', '-c', WITH_SECRETS, ...command], { ...options, input: text });
  };
}

/** Variables, a line each, up to an empty one; the rest is for the command (`$0`). */
const WITH_SECRETS = 'while IFS= read -r each && [ -n "$each" ]; do export "$each"; done; exec "$0" "$@"';

function fromPackages(
  { distribution }: MachineFacts,
  packages: readonly string[],
  plan: NodePlan,
): ProgramAction {
  const phrase = `install ${packages.join(', ')} from ${distributionName(distribution)}`;
  const listed = packages.join(' ');
  if (distribution.family === 'debian') {
    const commands = ['apt-get update', `apt-get install -y --no-install-recommends ${listed}`];
    return { kind: 'install-packages', phrase, commands, packages, module: undefined };
  }
  const modular = distribution.id !== 'fedora' && Number.parseInt(distribution.version, 10) < 10;
  const module = plan.node === 'packages' && modular ? NODE_MODULE : undefined;
  const commands = [
    ...(module === undefined ? [] : [`dnf module enable -y ${module}`]),
    `dnf install -y --setopt=install_weak_deps=False ${listed}`,
  ];
  return { kind: 'install-packages', phrase, commands, packages, module };
}

function carriedNode(architecture: Architecture | undefined): ProgramAction {
  const { package: name, version, folder } = PINNED_NODE[architecture ?? 'x64'];
  return carried('carry-node', `Node ${version}`, `${name}@${version}`, folder);
}

function carriedNpm(): ProgramAction {
  const { version, folder } = PINNED_NPM;
  return carried('carry-npm', `npm ${version}`, `npm@${version}`, folder);
}

function carried(kind: ProgramAction['kind'], what: string, spec: string, folder: string): ProgramAction {
  const place = `${PROGRAMS_FOLDER}/${folder}`;
  return {
    kind,
    phrase: `copy ${what} from this machine to ${place}, with links in /usr/local/bin`,
    commands: [`npm pack ${spec} # here; then unpacked in ${place} there`],
    packages: [],
    module: undefined,
  };
}

function notFound(name: string, why: string): Failure {
  return new Failure(
    'node-not-found',
    `Node is on ${name} now, but commands there do not find it: ${lastLines(why)}`,
    'Put /usr/local/bin into the PATH of whoever logs in, and into secure_path of /etc/sudoers.',
  );
}
