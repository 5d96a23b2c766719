import { Failure } from '../errors.ts';
import type { Report } from '../step.ts';
import { lastLines, type Run, saidBy } from '../system/processes.ts';
import { PATH } from './apt.ts';

/** dnf is Python, whose gettext goes by LANGUAGE before anything else. */
const ENVIRONMENT = { LC_ALL: 'C', LANGUAGE: 'C', PATH };
const FIX =
  'Fix what dnf reports (network, repositories, disk; what is in the way may be removed where nothing needs it), then run this again.';

/**
 * Installs what dnf knows. It refuses by itself where two packages exclude each other, and waits for another dnf.
 * @param kept packages that it may not take away either where one that is installed declares itself their successor
 * @throws Failure `dnf-failed`, with dnf's own error lines
 */
export async function dnfInstall(
  run: Run,
  packages: readonly string[],
  report: Report,
  kept: readonly string[] = [],
): Promise<void> {
  const keeping = kept.length === 0 ? [] : [`--setopt=protected_packages=${kept.join(',')}`];
  await dnf(run, ['install', '--setopt=install_weak_deps=False', ...keeping, ...packages], report);
}

/**
 * Chooses one of several versions that a distribution has (`nodejs:22`), where no other one is chosen already.
 * @throws Failure `dnf-failed`
 */
export async function enableModule(run: Run, module: string, report: Report): Promise<void> {
  const [name = ''] = module.split(':');
  await dnf(
    run,
    ['module', 'enable', module],
    report,
    `Where another version is enabled, and nothing there needs it: dnf module reset ${name}. Or install ${name} yourself. Then run this again.`,
  );
}

async function dnf(run: Run, args: readonly string[], report: Report, remedy = FIX): Promise<void> {
  const { exitCode, stdout, stderr } = await run('dnf', ['-y', ...args], {
    env: ENVIRONMENT,
    onLine: (line) => {
      if (line.startsWith('Waiting for process with pid')) report('another dnf is at work');
      const step = /^\s*(Installing|Upgrading|Running scriptlet|\(\d+\/\d+\))\s*:?\s*(.*)$/.exec(line);
      if (step !== null) report(`dnf: ${`${step[1]} ${step[2]}`.replace(/\s+/g, ' ').slice(0, 60)}`);
    },
  });
  if (exitCode === 0) return;
  const said = lastLines(saidBy({ stderr, stdout }), 12);
  throw new Failure('dnf-failed', `dnf ${args.join(' ')} failed:\n${said}`, remedy);
}
