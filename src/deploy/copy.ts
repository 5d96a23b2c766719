import { counted } from '../counted.ts';
import { expectCopied } from '../remote/copied.ts';
import type { RemoteHost } from '../remote/host.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import { COPIED, LEFT_OUT, OF_PACKAGES } from './contents.ts';
import { COPY_MARKER } from './machine.ts';
import type { Staged } from './stage.ts';

/** Paths inside the far checkout that differ, or differed. */
export interface Differences {
  readonly written: readonly string[];
  readonly removed: readonly string[];
}

/**
 * Brings the project into the far checkout. What runs there never sees half of it: all files take their places once
 * the last one has arrived, and a copy that was cut is finished by the next one.
 * @throws Failure `copy-failed`, `disk-full`, and those of `RemoteHost`
 */
export async function copyProject(
  host: RemoteHost,
  staged: Staged,
  folder: string,
  report: Report,
): Promise<Done<Differences>> {
  expectCopied(host, folder, await host.run(['sh', '-ec', BEGIN, folder]), '--dir');
  let files = 0;
  const finished = await host.rsync((far) => args(staged, far(`${folder}/`), []), {
    onLine: (line) => {
      files += 1;
      report(`${counted(files, 'file')}: ${line.slice(ITEM_WIDTH, 70)}`);
    },
  });
  expectCopied(host, folder, finished, '--dir');
  expectCopied(host, folder, await host.run(['rm', '-f', '--', `${folder}/${COPY_MARKER}`]), '--dir');
  const differences = readItems(finished.stdout);
  const summary = inWords(differences);
  return isNone(differences)
    ? unchanged(`${folder} is up to date`, differences)
    : changed(summary, differences);
}

/** In a git clone it is noted that what differs from its commits from now on was brought (machine.sh). */
const BEGIN = `
mkdir -p -m 755 -- "$0"
test -e "$0/package.json" || : > "$0/${COPY_MARKER}"
git=$0/.git
test ! -f "$git" || git=$(cd -- "$0" && cd -- "$(sed -n 's/^gitdir: //p' .git)" && pwd)
test ! -d "$git" || : > "$git/moorage-deployed"
`;

/** What `copyProject` would change in a checkout that there is. Changes nothing. */
export async function compareProject(host: RemoteHost, staged: Staged, folder: string): Promise<Differences> {
  const finished = await host.rsync((far) => args(staged, far(`${folder}/`), ['--dry-run']));
  expectCopied(host, folder, finished, '--dir');
  return readItems(finished.stdout);
}

export function isNone({ written, removed }: Differences): boolean {
  return written.length === 0 && removed.length === 0;
}

function inWords({ written, removed }: Differences): string {
  return [
    ...(written.length > 0 ? [`${counted(written.length, 'file')} copied`] : []),
    ...(removed.length > 0 ? [`${counted(removed.length, 'file')} removed`] : []),
  ].join(', ');
}

/**
 * Under `--relative` each named folder becomes as it is here, and nothing beside it is looked at. Contents are
 * compared, not dates: those differ from one checkout to the next.
 */
function args({ project, packages }: Staged, far: string, more: readonly string[]): string[] {
  return [
    '--recursive',
    '--links',
    '--times',
    '--perms',
    '--chmod=D755,Fu=rwX,Fgo=rX', // parts run as other users, whatever the umask here was
    '--owner',
    '--group',
    '--chown=0:0',
    '--checksum',
    '--relative',
    '--no-implied-dirs',
    '--delete-delay',
    '--delay-updates',
    '--compress',
    ...LEFT_OUT.map((pattern) => `--exclude=${pattern}`),
    '--out-format=%i %n',
    ...more,
    ...COPIED.map((path) => `${project}/./${path}`),
    ...OF_PACKAGES.map((path) => `${packages}/./${path}`),
    far,
  ];
}

/** `rsync(1)`, --itemize-changes: eleven letters and a blank. */
const ITEM_WIDTH = 12;

/** Only files and links count, and only where more than the date is another. */
export function readItems(output: string): Differences {
  const lines = output
    .split('\n')
    .map((line) => [line.slice(0, ITEM_WIDTH - 1), line.slice(ITEM_WIDTH)] as const);
  const written = lines.filter(([item]) => /^[<>c][fL]/.test(item)).map(([, name]) => name);
  const removed = lines.filter(([item]) => item.startsWith('*deleting')).map(([, name]) => name);
  return { written, removed };
}
