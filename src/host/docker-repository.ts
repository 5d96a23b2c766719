import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { Failure, fetchFailureOf } from '../errors.ts';
import type { Report } from '../step.ts';
import { readIfExists, writeAtomically } from '../system/files.ts';
import type { Run } from '../system/processes.ts';
import { installPackages, knowsArchive } from './apt.ts';
import type { Distribution } from './distribution.ts';
import { DOCKER_PACKAGES } from './plan.ts';

const KEY_FILE = '/etc/apt/keyrings/docker.asc';
const SOURCE_FILE = '/etc/apt/sources.list.d/docker.sources';
/** SHA-256 of Docker's release key 9DC8 5822 9FC7 DD38 854A E2D8 8D81 803C 0EBF CD88 as it is published. */
const KEY_DIGEST = '1500c1f56fa9e26b9b8f42452a553675796ade0807cdce11975eb98170b3a570';
/** Where it is in reach it answers within a second; where it is not, nobody wants to wait. */
const ANSWER_WITHIN = 5_000;

export type Fetch = (url: string, init: { signal: AbortSignal }) => Promise<Response>;

/** Whether Docker's own apt repository is in reach and has packages for this release. */
export async function dockerRepositoryAnswers(
  fetch: Fetch,
  { id, codename }: Distribution,
): Promise<boolean> {
  if (codename === '' || !['debian', 'ubuntu'].includes(id)) return false;
  try {
    const release = `${repository(id)}/dists/${codename}/InRelease`;
    return (await fetch(release, { signal: AbortSignal.timeout(ANSWER_WITHIN) })).ok;
  } catch {
    return false;
  }
}

/**
 * A source of Docker's repository that somebody else wrote is theirs, and used as it is: beside one that names another key
 * apt reads none of its sources any more.
 */
export async function installFromDocker(
  { fetch, run }: { fetch: Fetch; run: Run },
  { id, codename }: Distribution,
  report: Report,
): Promise<void> {
  const source = `${[
    'Types: deb',
    `URIs: ${repository(id)}`,
    `Suites: ${codename}`,
    'Components: stable',
    `Signed-By: ${KEY_FILE}`,
  ].join('\n')}\n`;
  const isTheirs = (await readIfExists(SOURCE_FILE)) !== source && (await knowsArchive(run, repository(id)));
  if (!isTheirs) {
    await mkdir('/etc/apt/keyrings', { recursive: true, mode: 0o755 });
    await writeAtomically(KEY_FILE, await fetchKey(fetch, `${repository(id)}/gpg`), 0o644);
    await writeAtomically(SOURCE_FILE, source, 0o644);
  }
  await installPackages(run, DOCKER_PACKAGES, report);
}

async function fetchKey(fetch: Fetch, url: string): Promise<string> {
  const fail = (reason: string) =>
    new Failure(
      'docker-key',
      `Docker's release key could not be had from ${url}: ${reason}.`,
      'Run this again.',
    );
  let key: string;
  try {
    key = await (await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN) })).text();
  } catch (error) {
    throw fail(fetchFailureOf(error));
  }
  if (createHash('sha256').update(key).digest('hex') !== KEY_DIGEST)
    throw fail('it is not the key that is known');
  return key;
}

function repository(id: string): string {
  return `https://download.docker.com/linux/${id}`;
}
