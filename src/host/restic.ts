import { Failure } from '../errors.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import type { Run } from '../system/processes.ts';
import { installPackages } from './apt.ts';
import { dnfInstall } from './dnf.ts';
import type { Consent, Host } from './install.ts';
import { commandsOf, type Proposal } from './plan.ts';

/** That of Debian 12: the first with compression. */
const LEAST = { minor: 14, text: '0.14' };
/** Of util-linux: restic ends when this program does, however that ends. It may not go on without its lock. */
const TIED = ['setpriv', '--pdeathsig', 'INT', 'restic'];

const PHRASE = 'install restic, which makes the backups';

/**
 * Makes sure that restic is there, and answers how it is run.
 * @throws Failure `consent-needed`, `root-needed`, `restic-missing`, `restic-old`
 */
export async function ensureRestic(
  { run, root }: Host,
  consent: Consent,
  report: Report,
): Promise<Done<readonly string[]>> {
  const there = await versionOf(run, ['restic']);
  if (there === undefined) await install(run, root, consent, report);
  const version = there ?? (await versionOf(run, ['restic'])) ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major === 0 && minor < LEAST.minor)
    throw new Failure(
      'restic-old',
      `restic ${version} is too old; it takes ${LEAST.text} or newer.`,
      'Install a newer one (https://github.com/restic/restic/releases) as /usr/local/bin/restic.',
    );
  const command = (await versionOf(run, TIED)) === undefined ? ['restic'] : TIED;
  return there === undefined
    ? changed(`restic ${version}, installed`, command)
    : unchanged(`restic ${version}`, command);
}

async function install(run: Run, root: boolean, consent: Consent, report: Report): Promise<void> {
  const action = await planRestic(run);
  if (action === undefined)
    throw new Failure(
      'restic-missing',
      'Backups are made by restic, which is not installed.',
      `Install restic ${LEAST.text} or newer, then run this again.`,
    );
  const byHand = commandsOf([action], 'sudo ').join('\n');
  if (!root)
    throw new Failure(
      'root-needed',
      'Backups are made by restic, which is not installed, and only root can install it.',
      `Run this, then this again:\n${byHand}`,
    );
  if (!(await consent([action])))
    throw new Failure(
      'consent-needed',
      'Backups are made by restic, which is not installed, and nobody agreed to install it.',
      `Run this again with --yes, or run this yourself:\n${byHand}`,
    );
  if (action.by === 'apt') return installPackages(run, ['restic'], report);
  for (const name of action.packages) await dnfInstall(run, [name], report);
}

interface ResticAction extends Proposal {
  readonly by: 'apt' | 'dnf';
  /** One after the other: the first may bring the repository of the second. */
  readonly packages: readonly string[];
}

/** `undefined` where nothing is known that installs it. */
async function planRestic(run: Run): Promise<ResticAction | undefined> {
  if ((await run('apt-get', ['--version'])).exitCode === 0) {
    const commands = ['apt-get install -y --no-install-recommends restic'];
    return { by: 'apt', phrase: PHRASE, commands, packages: ['restic'] };
  }
  if ((await run('dnf', ['--version'])).exitCode !== 0) return undefined;
  // Fedora has it by itself; what is made from RHEL has it in EPEL, which RHEL alone does not offer by name.
  const here = (await run('dnf', ['-q', 'list', 'restic'])).exitCode === 0;
  const packages = here ? ['restic'] : ['epel-release', 'restic'];
  const commands = packages.map((name) => `dnf install -y ${name}`);
  return {
    by: 'dnf',
    phrase: here ? PHRASE : `${PHRASE}, from EPEL (epel-release)`,
    commands,
    packages,
  };
}

async function versionOf(run: Run, [program = '', ...args]: readonly string[]): Promise<string | undefined> {
  const { exitCode, stdout } = await run(program, [...args, 'version']);
  return exitCode === 0 ? /^restic (\d+\.\d+\S*)/m.exec(stdout)?.[1] : undefined;
}
