import { Failure } from '../errors.ts';
import type { Report } from '../step.ts';
import { systemClock } from '../system/clock.ts';
import type { Run } from '../system/processes.ts';

/** Waits for another apt to end; never asks anything. */
const OPTIONS = ['-y', '-q', '-o', 'DPkg::Lock::Timeout=120', '-o', 'APT::Color=0'];
/** apt waits for dpkg's lock by itself, but not for that of its lists: one that a killed run left still fetches. */
const LOCK_TRIES = 60;
const LOCK_PAUSE = 2_000;
/** `su` and unprivileged logins lack the sbin folders; dpkg refuses to work without them, dockerd without iptables. */
export const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const ENVIRONMENT = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C', PATH };

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
    'Fix what apt reports (network, sources, disk), then run this again.',
  );
}

/** Installs and never takes another package away: what is here stays here. */
export async function installPackages(run: Run, packages: readonly string[], report: Report): Promise<void> {
  await run('dpkg', ['--configure', '-a'], { env: ENVIRONMENT }); // what a killed run left half installed
  await apt(run, ['update'], report);
  await apt(run, ['install', '--no-remove', '--no-install-recommends', ...packages], report);
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
  const archives = await labelledArchives(run);
  return {
    main: archives.get('Debian') ?? 'http://deb.debian.org/debian',
    security: archives.get('Debian-Security'),
  };
}

/** Of all sources, fetched or not. */
const ADDRESSES = ['-o', 'APT::Get::IndexTargets::ReleaseInfo=0', '--format', '$(REPO_URI)'];

/**
 * Debian's archives by the label in their signed Release files: the address of another project's archive, such as
 * Docker's, ends in `/debian` too. Where apt has fetched nothing yet there are only addresses.
 */
async function labelledArchives(run: Run): Promise<Map<string, string>> {
  const fetched = await indexTargets(run, ['--format', '$(REPO_URI) $(LABEL)']);
  const archives = new Map<string, string>();
  for (const line of fetched.length > 0 ? fetched : await indexTargets(run, ADDRESSES)) {
    if (!/^https?:/.test(line)) continue; // such as mirror+file:, which debootstrap does not know
    const [uri = '', label = labelByAddress(uri)] = line.split(' ');
    if (!archives.has(label)) archives.set(label, uri.replace(/\/$/, ''));
  }
  return archives;
}

/** Whether this machine's apt has an archive already, whoever told it. */
export async function knowsArchive(run: Run, address: string): Promise<boolean> {
  const known = await indexTargets(run, ADDRESSES);
  return known.some((each) => each.replace(/\/$/, '') === address);
}

async function indexTargets(run: Run, args: readonly string[]): Promise<string[]> {
  const { stdout } = await run('apt-get', ['indextargets', ...args, 'Created-By: Packages']);
  return stdout.split('\n').filter((line) => line !== '');
}

function labelByAddress(uri: string): string {
  if (/\/debian-security\/?$/.test(uri)) return 'Debian-Security';
  return /\/debian\/?$/.test(uri) && !uri.includes('download.docker.com') ? 'Debian' : '';
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
