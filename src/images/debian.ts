import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Failure } from '../errors.ts';
import { type DebianArchives, debianArchives, PATH } from '../host/apt.ts';
import type { Report } from '../step.ts';
import { type Run, runForOutput } from '../system/processes.ts';
import { DEBIAN_SUITE } from './catalog.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** A folder on a disk: /tmp may be small and in memory. */
const SCRATCH = '/var/tmp';

/**
 * Makes the root file system of a minimal Debian and hands its tar to `use`. debootstrap verifies the signature of
 * the release and the checksum of every package. It runs in a mount namespace of its own, so that what it mounts is
 * gone however it ends.
 */
export async function withDebianRoot(
  { run, root }: { run: Run; root: string },
  report: Report,
  use: (tar: Readable) => Promise<void>,
): Promise<void> {
  const archives = await debianArchives(run);
  const key = createHash('sha256').update(root).digest('hex').slice(0, 12);
  const prefix = `moorage-debian-${key}-`;
  await sweep(prefix);
  const target = await mkdtemp(join(SCRATCH, prefix));
  await chmod(target, 0o755); // it becomes the root folder
  try {
    await debootstrap(run, target, archives.main, report);
    await writeSources(target, archives);
    const unneeded = ['./var/cache/apt/archives/*.deb', './var/lib/apt/lists/*', './var/log/*.log'];
    await use(runForOutput('tar', ['-C', target, ...unneeded.map((each) => `--exclude=${each}`), '-c', '.']));
  } finally {
    await rm(target, { recursive: true, force: true });
  }
}

/** Takes away what killed runs left. */
async function sweep(prefix: string): Promise<void> {
  const names = (await readdir(SCRATCH)).filter((name) => name.startsWith(prefix));
  for (const name of names) await rm(join(SCRATCH, name), { recursive: true, force: true, maxRetries: 3 });
}

async function debootstrap(run: Run, target: string, mirror: string, report: Report): Promise<void> {
  const command = ['debootstrap', '--variant=minbase', `--keyring=${KEYRING}`, DEBIAN_SUITE, target, mirror];
  const errors: string[] = [];
  // It must not go on when this process is killed: the next run begins anew.
  const result = await run('setpriv', ['--pdeathsig', 'KILL', 'unshare', '--mount', ...command], {
    env: { PATH },
    onLine: (line) => {
      if (line.startsWith('I: ')) report(`Debian ${DEBIAN_SUITE}: ${line.slice('I: '.length)}`);
      else errors.push(line);
    },
  });
  if (result.exitCode === 0) return;
  throw new Failure(
    'debootstrap-failed',
    `A Debian base image could not be made from ${mirror}:\n${errors.slice(-5).join('\n')}`,
    'Check that the mirror is in reach and that /var/tmp has 500 MB free, then run this again.',
  );
}

async function writeSources(target: string, { main, security }: DebianArchives): Promise<void> {
  const lines = [`deb ${main} ${DEBIAN_SUITE} main`, `deb ${main} ${DEBIAN_SUITE}-updates main`];
  if (security !== undefined) lines.push(`deb ${security} ${DEBIAN_SUITE}-security main`);
  await writeFile(join(target, 'etc/apt/sources.list'), `${lines.join('\n')}\n`);
}
