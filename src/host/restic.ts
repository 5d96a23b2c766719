import { Failure } from '../errors.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import type { Run } from '../system/processes.ts';
import { installPackages } from './apt.ts';
import type { Consent, Host } from './install.ts';
import type { Action } from './plan.ts';

/** That of Debian 12: the first with compression. */
const LEAST = { minor: 14, text: '0.14' };
/** Of util-linux: restic ends when this program does, however that ends. It may not go on without its lock. */
const TIED = ['setpriv', '--pdeathsig', 'INT', 'restic'];

const INSTALL: Action = {
  kind: 'install-restic',
  phrase: 'install restic, which makes the backups',
  commands: ['apt-get install -y --no-install-recommends restic'],
};

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
  const byHand = INSTALL.commands.map((command) => `  sudo ${command}`).join('\n');
  if ((await run('apt-get', ['--version'])).exitCode !== 0)
    throw new Failure(
      'restic-missing',
      'Backups are made by restic, which is not installed.',
      `Install restic ${LEAST.text} or newer, then run this again.`,
    );
  if (!root)
    throw new Failure(
      'root-needed',
      'Backups are made by restic, which is not installed, and only root can install it.',
      `Run this, then this again:\n${byHand}`,
    );
  if (!(await consent([INSTALL])))
    throw new Failure(
      'consent-needed',
      'Backups are made by restic, which is not installed, and nobody agreed to install it.',
      `Run this again with --yes, or run this yourself:\n${byHand}`,
    );
  await installPackages(run, ['restic'], report);
}

async function versionOf(run: Run, [program = '', ...args]: readonly string[]): Promise<string | undefined> {
  const { exitCode, stdout } = await run(program, [...args, 'version']);
  return exitCode === 0 ? /^restic (\d+\.\d+\S*)/m.exec(stdout)?.[1] : undefined;
}
