import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { leadsSomewhere } from '../system/files.ts';
import type { Run } from '../system/processes.ts';
import { DOCKER_PACKAGES, ENGINE_PACKAGES, PLUGIN_FOLDER } from './plan.ts';

/** What deploying copied here, a folder for each version. */
export const PROGRAMS_FOLDER = '/usr/local/lib/moorage';
/** Where links lead to it. */
const LINKS_FOLDER = '/usr/local/bin';

/** What may have come here with Docker or for backups. Packages that everybody has are left out. */
const PACKAGES = [
  ...new Set([...ENGINE_PACKAGES, ...DOCKER_PACKAGES, 'docker-compose', 'docker-compose-v2', 'restic']),
].filter((name) => !['iptables', 'ca-certificates'].includes(name));

// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query(1)
const IF_INSTALLED = '${db:Status-Abbrev}${Package}\n';

/** The command that takes away Docker and restic, as far as they are packages or our Compose; `undefined` without any. */
export async function removalOfPrograms(run: Run): Promise<string | undefined> {
  const plugin = join(PLUGIN_FOLDER, 'docker-compose');
  const file = (await leadsSomewhere(plugin)) ? [`sudo rm ${plugin}`] : [];
  const commands = [...(await packages(run)), ...file];
  return commands.length === 0 ? undefined : commands.join('; ');
}

/** The command that takes away Node and npm, as far as deploying brought them; `undefined` without any. */
export async function removalOfCarried(
  programs = PROGRAMS_FOLDER,
  links = LINKS_FOLDER,
): Promise<string | undefined> {
  const names = await readdir(programs).catch((): string[] => []);
  if (!names.some((name) => !name.startsWith('.'))) return undefined;
  const all = (await readdir(links).catch((): string[] => [])).sort().map((name) => join(links, name));
  const targets = await Promise.all(all.map((path) => readlink(path).catch(() => '')));
  const ours = all.filter((_, index) => targets[index]?.startsWith(`${programs}/`));
  return `sudo rm -r ${[programs, ...ours].join(' ')}`;
}

async function packages(run: Run): Promise<string[]> {
  const debian = await run('dpkg-query', ['-W', '-f', IF_INSTALLED, ...PACKAGES]);
  const there = debian.stdout.split('\n').flatMap((line) => /^ii\s+(\S+)$/.exec(line)?.[1] ?? []);
  if (there.length > 0) return [`sudo apt-get remove ${there.join(' ')}`];
  const redHat = await run('rpm', ['-q', '--qf', '%{NAME}\n', ...PACKAGES]);
  const names = redHat.stdout.split('\n').filter((line) => PACKAGES.some((name) => name === line));
  return names.length > 0 ? [`sudo dnf remove ${names.join(' ')}`] : [];
}
