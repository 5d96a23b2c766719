import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import type { Clock } from '../system/clock.ts';
import { ensureDirectory, readIfExists } from '../system/files.ts';
import { withLockInTurn } from '../system/lock.ts';
import type { Run } from '../system/processes.ts';

/** What is copied to a machine, ready. */
export interface Staged {
  /** The checkout here; what of it is copied says `COPIED`. */
  readonly project: string;
  /** Folder with `package.json`, `package-lock.json` and `node_modules` as the far machine needs them. */
  readonly packages: string;
}

interface Workshop {
  readonly paths: Pick<Paths, 'root' | 'state'>;
  readonly run: Run;
  readonly clock: Clock;
}

/** Milliseconds that a stage is waited for that another command makes. */
const PATIENCE = 300_000;
const MANIFESTS = ['package.json', 'package-lock.json'];

/**
 * Makes ready what a machine gets: its Node packages are fetched here, so that it needs no npm registry. They are kept
 * until package-lock.json changes. A stage comes to be in one step, so one that a kill left is never taken for whole.
 * @param cpu the far machine's processor, as npm calls it
 * @throws Failure `packages-failed`
 */
export async function stageProject(
  { paths, run, clock }: Workshop,
  cpu: 'x64' | 'arm64',
  report: Report,
): Promise<Done<Staged>> {
  const project = paths.root;
  const place = join(paths.state, 'deploy');
  const packages = join(place, `packages-${cpu}-${await fingerprint(project)}`);
  await ensureDirectory(place);
  const lock = { path: join(paths.state, 'locks', 'stage'), what: 'Another deploy', clock };
  return withLockInTurn({ ...lock, patience: PATIENCE, onWait: report }, async () => {
    if ((await readIfExists(join(packages, 'package-lock.json'))) !== undefined)
      return unchanged('Node packages are ready', { project, packages });
    report(`fetching Node packages for ${cpu}`);
    await clearAway(place, `packages-${cpu}-`);
    await fetchPackages(run, { project, place, packages, cpu }, report);
    return changed(`Node packages fetched for ${cpu}`, { project, packages });
  });
}

/** Both files: npm refuses a package.json that the lock does not fit. */
async function fingerprint(project: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of MANIFESTS) hash.update(await readFile(join(project, name)));
  return hash.digest('hex').slice(0, 16);
}

/** Stages that are out of date, and half ones. */
async function clearAway(place: string, prefix: string): Promise<void> {
  const names = (await readdir(place)).filter((name) => name.startsWith(prefix) || name.startsWith('new-'));
  for (const name of names) await rm(join(place, name), { recursive: true, force: true });
}

interface Fetch {
  readonly project: string;
  readonly place: string;
  readonly packages: string;
  readonly cpu: string;
}

async function fetchPackages(
  run: Run,
  { project, place, packages, cpu }: Fetch,
  report: Report,
): Promise<void> {
  const fresh = await mkdtemp(join(place, 'new-'));
  // Before npm writes its own: scripts/setup.mjs goes by which is younger.
  for (const name of MANIFESTS) await copyFile(join(project, name), join(fresh, name));
  // None of our packages has to build anything: what esbuild's script does is only faster starting of its command.
  const flags = ['--omit=dev', '--ignore-scripts', '--os=linux', `--cpu=${cpu}`, '--libc=glibc'];
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  const { exitCode, stderr } = await run('npm', ['ci', ...flags, ...quiet], {
    cwd: fresh,
    onLine: (line) => report(line.slice(0, 60)),
  });
  if (exitCode !== 0) {
    await rm(fresh, { recursive: true, force: true });
    throw new Failure(
      'packages-failed',
      `The Node packages for ${cpu} could not be fetched:\n${stderr.trim()}`,
      'Fix what npm reports (network, proxy, disk), then run this again.',
    );
  }
  await rename(fresh, packages);
}
