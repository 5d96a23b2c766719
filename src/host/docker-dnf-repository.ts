import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure, fetchFailureOf } from '../errors.ts';
import type { Report } from '../step.ts';
import { readIfExists, writeAtomically } from '../system/files.ts';
import { lastLines, type Run } from '../system/processes.ts';
import type { Distribution } from './distribution.ts';
import { dnfInstall } from './dnf.ts';
import type { Fetch } from './docker-repository.ts';
import { DNF_REPOSITORY_FILE, dnfRepository } from './plan.ts';

const KEY_FILE = '/etc/pki/rpm-gpg/RPM-GPG-KEY-docker';
/** Of Docker's key for RPM packages (https://docs.docker.com/engine/install/rhel/#install-using-the-repository). */
const FINGERPRINT = '060A61C51B558A7F742B77AAC52FEB6B621E9F35';
const ANSWER_WITHIN = 15_000;
/** What containerd.io declares itself the successor of, so that dnf would take them away without a question. */
const KEPT = ['runc', 'containerd'];

/**
 * Installs from Docker's own dnf repository, whose packages have to be signed by the key that is known. A docker-ce.repo
 * of somebody else is theirs: it is used as it is. Of our own nothing is left where dnf can't install from it, as one
 * repository out of reach lets every dnf fail.
 * @param root where the file system begins, for tests
 * @throws Failure `docker-key`, `dnf-failed`
 */
export async function dnfInstallFromDocker(
  { fetch, run }: { fetch: Fetch; run: Run },
  { id }: Distribution,
  packages: readonly string[],
  report: Report,
  root = '/',
): Promise<void> {
  const file = join(root, DNF_REPOSITORY_FILE);
  const there = await readIfExists(file);
  if (there !== undefined && !there.includes(KEY_FILE)) return dnfInstall(run, packages, report, KEPT);
  const repository = dnfRepository(id);
  await write(join(root, KEY_FILE), await fetchKey(fetch, run, `${repository}/gpg`, report));
  await write(file, repositoryText(repository));
  try {
    await dnfInstall(run, packages, report, KEPT);
  } catch (error) {
    if (there === undefined) await rm(file, { force: true });
    throw error;
  }
}

/** As Docker's docker-ce.repo has it for the stable channel, but with the key that was looked at (dnf.conf(5)). */
function repositoryText(repository: string): string {
  return `[docker-ce-stable]
name=Docker CE Stable - $basearch
baseurl=${repository}/$releasever/$basearch/stable
enabled=1
gpgcheck=1
gpgkey=file://${KEY_FILE}
`;
}

async function fetchKey(fetch: Fetch, run: Run, url: string, report: Report): Promise<string> {
  const fail = (reason: string) =>
    new Failure(
      'docker-key',
      `Docker's key for packages could not be had from ${url}: ${reason}.`,
      'Run this again; where Docker’s repository is out of reach, install Docker Engine and Compose yourself.',
    );
  let key: string;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN) });
    if (!answer.ok) throw new Error(`it answers ${answer.status}`);
    key = await answer.text();
  } catch (error) {
    throw fail(fetchFailureOf(error));
  }
  const show = () => run('gpg', ['--batch', '--with-colons', '--show-keys'], { input: key });
  const first = await show();
  if (first.exitCode === 127) await dnfInstall(run, ['gnupg2'], report); // newer dnf does without
  const shown = first.exitCode === 127 ? await show() : first;
  if (shown.exitCode !== 0) throw fail(`gpg can't read it: ${lastLines(shown.stderr)}`);
  if (fingerprintsOf(shown.stdout).join() !== FINGERPRINT) throw fail('it is not the key that is known');
  return key;
}

/** Those of primary keys: the `fpr` after each `pub` (GnuPG, doc/DETAILS). */
function fingerprintsOf(listing: string): string[] {
  const records = listing.split('\n').map((line) => line.split(':'));
  return records.flatMap(([kind], at) => {
    const fingerprint = records.slice(at + 1).find(([next]) => next === 'fpr');
    return kind === 'pub' ? [fingerprint?.[9] ?? ''] : [];
  });
}

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await writeAtomically(path, content, 0o644);
}
