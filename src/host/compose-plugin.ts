import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import type { Report } from '../step.ts';
import type { Run } from '../system/processes.ts';
import { apt, debianArchives } from './apt.ts';
import { COMPOSE_SUITE, PLUGIN_FOLDER } from './plan.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const INSIDE_THE_PACKAGE = 'usr/libexec/docker/cli-plugins/docker-compose';

/**
 * Takes Compose v2 out of a later Debian's package: one self-contained program. apt fetches it and verifies the
 * signatures, with sources, lists and cache of its own, so that the machine's apt knows nothing of the other suite.
 */
export async function installComposePlugin(run: Run, report: Report): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'moorage-compose-'));
  try {
    await chmod(scratch, 0o755); // apt downloads as the user _apt
    const options = await privateApt(run, scratch);
    report(`Compose v2 from Debian ${COMPOSE_SUITE}`);
    await apt(run, [...options, 'update'], report);
    await apt(inFolder(run, scratch), [...options, 'download', 'docker-compose'], report);
    await unpack(run, scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function privateApt(run: Run, scratch: string): Promise<string[]> {
  const { main } = await debianArchives(run);
  const sources = join(scratch, 'sources.list');
  await writeFile(sources, `deb [signed-by=${KEYRING}] ${main} ${COMPOSE_SUITE} main\n`);
  for (const folder of ['lists/partial', 'cache/archives/partial']) {
    await mkdir(join(scratch, folder), { recursive: true });
  }
  return [
    `Dir::Etc::sourcelist=${sources}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::lists=${join(scratch, 'lists')}`,
    `Dir::Cache=${join(scratch, 'cache')}`,
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
}

async function unpack(run: Run, scratch: string): Promise<void> {
  const extracted = join(scratch, 'package');
  const archive = (await readdir(scratch)).find((name) => name.endsWith('.deb')) ?? '';
  const { exitCode, stderr } = await run('dpkg-deb', ['-x', join(scratch, archive), extracted]);
  if (exitCode !== 0) {
    throw new Failure(
      'apt-failed',
      `The package docker-compose can't be unpacked: ${stderr}`,
      'Run this again.',
    );
  }
  await mkdir(PLUGIN_FOLDER, { recursive: true });
  const temporary = join(PLUGIN_FOLDER, '.docker-compose');
  await copyFile(join(extracted, INSIDE_THE_PACKAGE), temporary);
  await chmod(temporary, 0o755);
  await rename(temporary, join(PLUGIN_FOLDER, 'docker-compose'));
}

function inFolder(run: Run, cwd: string): Run {
  return (program, args, options) => run(program, args, { ...options, cwd });
}
