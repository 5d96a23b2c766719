import { Failure } from '../errors.ts';
import type { Report } from '../step.ts';
import { systemClock } from '../system/clock.ts';
import type { Run } from '../system/processes.ts';

/** Waits for another apt to end; never asks anything. */
const OPTIONS = ['-y', '-q', '-o', 'DPkg::Lock::Timeout=120', '-o', 'APT::Color=0'];
/** apt waits for dpkg's lock by itself, but not for that of its lists: one that a killed run left still fetches. */
const LOCK_TRIES = 60;
const LOCK_PAUSE = 2_000;
const ENVIRONMENT = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };

/** @throws Failure `apt-failed`, with apt's own error lines */
export async function apt(run: Run, args: readonly string[], report: Report): Promise<void> {
  let result = await aptGet(run, args, report);
  for (let tries = 0; /Could not get lock/.test(result.stderr) && tries < LOCK_TRIES; tries += 1) {
    report('another apt is at work');
    await systemClock.sleep(LOCK_PAUSE);
    result = await aptGet(run, args, report);
  }
  if (result.exitCode === 0) return;
  const errors = `${result.stdout}\n${result.stderr}`.split('\n').filter((line) => /^(E|dpkg):/.test(line));
  throw new Failure(
    'apt-failed',
    `apt-get ${args.join(' ')} failed:\n${errors.join('\n') || result.stderr.trim()}`,
    'Mend what apt says (network, sources, disk), then run this again.',
  );
}

export async function installPackages(run: Run, packages: readonly string[], report: Report): Promise<void> {
  await run('dpkg', ['--configure', '-a'], { env: ENVIRONMENT }); // what a killed run left half installed
  await apt(run, ['update'], report);
  await apt(run, ['install', '--no-install-recommends', ...packages], report);
}

/** The version of a package that apt would install. */
export async function candidate(run: Run, name: string): Promise<string | undefined> {
  const { stdout } = await run('apt-cache', ['policy', name], { env: ENVIRONMENT });
  const version = /Candidate: (\S+)/.exec(stdout)?.[1];
  return version === '(none)' ? undefined : version;
}

export interface DebianArchives {
  readonly main: string;
  /** `undefined` where this machine knows of none. */
  readonly security: string | undefined;
}

/** The mirrors that this machine's apt uses; Debian's own name where it is not a Debian. */
export async function debianArchives(run: Run): Promise<DebianArchives> {
  const targets = await run('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages']);
  const uris = [...new Set(targets.stdout.split('\n'))].map((uri) => uri.replace(/\/$/, ''));
  return {
    main: uris.find((uri) => uri.endsWith('/debian')) ?? 'http://deb.debian.org/debian',
    security: uris.find((uri) => uri.endsWith('/debian-security')),
  };
}

function aptGet(run: Run, args: readonly string[], report: Report) {
  return run('apt-get', [...OPTIONS, ...args], {
    env: ENVIRONMENT,
    onLine: (line) => {
      const step = /^(Get:\d+|Unpacking|Setting up) ?(.*)$/.exec(line.trim());
      if (step !== null) report(`apt: ${step[0].slice(0, 60)}`);
    },
  });
}
