import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, systemCode } from '../errors.ts';
import { PROGRAMS_FOLDER } from '../host/programs-here.ts';
import type { RemoteHost } from '../remote/host.ts';
import type { Report } from '../step.ts';
import type { Clock } from '../system/clock.ts';
import { withLockInTurn } from '../system/lock.ts';
import { lastLines, type Run } from '../system/processes.ts';
import type { Pinned } from './pinned.ts';

/** Several machines may want it at once: one fetches, which of 50 MiB over a slow line takes its time. */
const FETCHED_WITHIN = 15 * 60_000;

export interface Porter {
  readonly host: RemoteHost;
  /** Here. */
  readonly run: Run;
  readonly clock: Clock;
  /** Folder in which archives are kept here, for the next machine. */
  readonly cache: string;
  /** By which proxies its own packages come. Secrets. */
  readonly proxy: Readonly<Record<string, string>>;
}

/**
 * Copies a program from here: it is fetched once, known by its digest here and there, and put in place as a whole. What
 * a kill left of the copy is taken up again.
 * @throws Failure `program-unavailable`, `program-not-placed`, and those of `RemoteHost`
 */
export async function carry(porter: Porter, pinned: Pinned, report: Report): Promise<void> {
  const { host } = porter;
  report(`${pinned.package} ${pinned.version}: fetching it here`);
  const archive = await fetched(porter, pinned, report);
  report(`${pinned.package} ${pinned.version}: copying it there`);
  const arriving = `${PROGRAMS_FOLDER}/.arriving`;
  expectDone(host, pinned, await host.run(['mkdir', '-p', arriving]));
  const copied = await host.rsync((far) => ['--times', '--partial', archive, far(`${arriving}/`)]);
  expectDone(host, pinned, copied);
  const script = await readFile(new URL('place.sh', import.meta.url), 'utf8');
  const links = Object.entries(pinned.links);
  const words = [
    ...[PROGRAMS_FOLDER, archiveName(pinned), hexOf(pinned.integrity), pinned.folder, String(links.length)],
    ...links.flat(),
    ...pinned.members.map((member) => `package/${member}`),
  ];
  expectDone(host, pinned, await host.run(['sh', '-s', '--', ...words], { input: script }));
}

/** Path of the archive in the cache. npm compares it with what the registry says of it, and this with what is pinned. */
async function fetched({ run, clock, cache }: Porter, pinned: Pinned, report: Report): Promise<string> {
  const path = join(cache, archiveName(pinned));
  const what = `Fetching ${pinned.package}`;
  const turn = { path: `${path}.lock`, what, clock, patience: FETCHED_WITHIN, onWait: report };
  return withLockInTurn(turn, async () => {
    if ((await integrityOf(path)) !== pinned.integrity) await fetch(run, cache, pinned);
    return path;
  });
}

async function fetch(run: Run, cache: string, pinned: Pinned): Promise<void> {
  const name = archiveName(pinned);
  const scratch = await mkdtemp(join(cache, '.fetch-'));
  try {
    const spec = `${pinned.package}@${pinned.version}`;
    const result = await run('npm', ['pack', spec, '--silent', '--pack-destination', scratch], {
      cwd: scratch,
    });
    const found = await integrityOf(join(scratch, name));
    if (result.exitCode !== 0 || found === undefined)
      throw unavailable(pinned, lastLines(result.stderr) || `npm ended with ${result.exitCode}`);
    if (found !== pinned.integrity)
      throw unavailable(pinned, `what came is ${found}, and not ${pinned.integrity}`);
    await rename(join(scratch, name), join(cache, name));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function archiveName({ package: name, version }: Pinned): string {
  return `${name}-${version}.tgz`;
}

async function integrityOf(path: string): Promise<string | undefined> {
  try {
    return `sha512-${createHash('sha512')
      .update(await readFile(path))
      .digest('base64')}`;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function hexOf(integrity: string): string {
  return Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex');
}

function expectDone(
  host: RemoteHost,
  pinned: Pinned,
  { exitCode, stderr }: { exitCode: number; stderr: string },
): void {
  if (exitCode === 0) return;
  throw new Failure(
    'program-not-placed',
    `${pinned.package} ${pinned.version} could not be put on ${host.name}: ${lastLines(stderr) || `exit code ${exitCode}`}`,
    'Fix what it reports (space below /usr/local?), then run this again: it goes on where it stopped.',
  );
}

function unavailable(pinned: Pinned, why: string): Failure {
  return new Failure(
    'program-unavailable',
    `${pinned.package} ${pinned.version} can’t be had from the npm registry: ${why}`,
    'See that this machine reaches it (npm ping), or install Node 20.12 or newer with npm on the other one yourself.',
  );
}
