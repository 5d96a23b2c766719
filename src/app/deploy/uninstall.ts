import { dirname, join } from 'node:path';
import type { Teller } from '../../cli/story.ts';
import { COPIED } from '../../deploy/contents.ts';
import { COPY_MARKER } from '../../deploy/machine.ts';
import type { Order } from '../../deploy/order.ts';
import { runThere } from '../../deploy/run-there.ts';
import { Failure, WrongInput } from '../../errors.ts';
import type { RemoteHost } from '../../remote/host.ts';
import { changed, type Done, unchanged } from '../../step.ts';
import type { Finished } from '../../system/processes.ts';
import type { App } from '../app.ts';
import { type Asked, openHeld, openSsh } from '../open-host.ts';

/** Only a folder that says of itself that it is this project is ever removed. */
const IS_OURS = `grep -qs '"name": "moorage"' "$0/package.json"`;

/** A first copy that was cut, or the rest of a removal: nothing runs there. */
export const IS_HALF_COPIED = `test -e "$0/${COPY_MARKER}" && test ! -e "$0/package.json"`;

/** Brought by a person, by git, who may have work of their own in it. */
const IS_CLONE = 'test -e "$0/.git"';

const CAN_UNINSTALL = `grep -qs '"uninstall":' "$0/package.json"`;

export interface Removal {
  readonly order: Order;
  /** Domain of the registry whose images and certificates go as well; `undefined`: they stay. */
  readonly purge: string | undefined;
  /** Only told what would go. */
  readonly dryRun: boolean;
  readonly asked: Asked | undefined;
}

/**
 * Takes the registry off a machine: `npm run uninstall` there, and with `purge` its folder too. Where there is none,
 * there is nothing to do.
 * @returns in words what came of it
 * @throws Failure `uninstall-failed`, and those of `openHeld`
 */
export async function uninstallFrom(
  app: App,
  { order, purge, dryRun, asked }: Removal,
  teller: Teller,
  tell: (line: string) => void,
): Promise<string> {
  const { folder, target } = order;
  const host = await teller.step('Connection', async () => {
    const opened = dryRun
      ? await openSsh(app, target.destination, asked)
      : await openHeld(app, target.destination, asked, { folder, command: 'npm run deploy -- --uninstall' });
    return unchanged(opened.name, opened);
  });
  try {
    return await teller.step('Uninstall', async (report): Promise<Done<string>> => {
      if ((await host.run(['sh', '-c', IS_HALF_COPIED, folder])).exitCode === 0) {
        if (dryRun)
          return nothing(`nothing was changed; what a copy that was cut left in ${folder} would go`);
        const left = await removeProject(host, folder);
        return done(
          `what a copy that was cut left in ${folder} is gone${left && `; yours, and left there: ${left}`}`,
        );
      }
      if ((await host.run(['sh', '-c', IS_OURS, folder])).exitCode !== 0)
        return nothing(`there is no Moorage in ${folder}`);
      if ((await host.run(['sh', '-c', CAN_UNINSTALL, folder])).exitCode !== 0)
        throw tooOld(target.name, folder);
      const args = [dryRun ? '--dry-run' : '--yes', ...(purge === undefined ? [] : ['--purge', purge])];
      const onLine = (line: string) => {
        report(line);
        if (!dryRun && !line.startsWith('·')) tell(line);
      };
      const finished = await runThere(host, folder, 'uninstall', args, { onLine });
      if (finished.exitCode !== 0) throw failed(target.name, finished);
      if (dryRun) return nothing(`nothing was changed; there:\n${finished.stdout.trim()}`);
      if (purge === undefined) return done(`taken off; users, images and certificates stay in ${folder}`);
      const left = await removeProject(host, folder);
      return done(left === '' ? `taken off, ${folder} removed` : `taken off; yours, and left there: ${left}`);
    });
  } finally {
    await host.close();
  }
}

function done(summary: string): Done<string> {
  return changed(summary, summary);
}

function nothing(summary: string): Done<string> {
  return unchanged(summary, summary);
}

/** Folders of a checkout besides those that are brought as a whole, each before the one that it is in. */
const FOLDERS: readonly string[] = [
  ...['var/locks', 'var', 'registry/data'],
  ...new Set(COPIED.flatMap((path) => foldersAbove(path)).sort((one, other) => other.length - one.length)),
];

/**
 * What deploying brought, and of the project's own folders those that are empty then; what tells that it was ours at last, so
 * that a run after a kill takes the rest.
 * In `var` uninstalling has left what is the person's own, such as backups. A clone was not brought: all of it stays.
 * @returns names of what is left
 */
export async function removeProject(host: Pick<RemoteHost, 'name' | 'run'>, folder: string): Promise<string> {
  if ((await host.run(['sh', '-c', IS_CLONE, folder])).exitCode === 0) return 'all of it, a git clone';
  const arriving = [...new Set(COPIED.map((path) => join(dirname(path), '.~tmp~')))]; // rsync(1), --delay-updates
  // From the first on it is as a copy that was cut: no command there could be asked any more.
  const brought = ['package.json', ...COPIED, 'node_modules', ...arriving, 'package-lock.json', COPY_MARKER];
  const words = [folder, COPY_MARKER, String(brought.length), ...brought, ...FOLDERS];
  const { exitCode, stdout, stderr } = await host.run(['sh', '-ec', REMOVE, ...words]);
  if (exitCode !== 0) throw failed(host.name, { exitCode, stdout, stderr });
  return stdout.trim().replaceAll('\n', ', ');
}

const REMOVE = `
cd -- "$0"
touch -- "./$1" 2>/dev/null || true # on a disk that is full it may not be
many=$2
shift 2
while [ "$many" -gt 0 ]; do
  rm -rf --one-file-system -- "./$1"
  shift
  many=$((many - 1))
done
for each; do rmdir -- "./$each" 2>/dev/null || true; done
cd /
rmdir -- "$0" 2>/dev/null || test ! -d "$0" || ls -A -- "$0"
`;

function foldersAbove(path: string): readonly string[] {
  const above = dirname(path);
  return above === '.' ? [] : [above, ...foldersAbove(above)];
}

function tooOld(name: string, folder: string): Failure {
  return new Failure(
    'too-old',
    `What is in ${folder} on ${name} is too old to take itself off.`,
    'Bring it up to date first: npm run deploy with the same machine, without --uninstall.',
  );
}

function failed(name: string, { exitCode, stderr }: Finished): Failure | WrongInput {
  const said = stderr.trim();
  if (exitCode === 2) return new WrongInput([{ input: name, message: said }]);
  return new Failure(
    'uninstall-failed',
    `npm run uninstall on ${name}: ${said || `it ended with ${exitCode}`}`,
    'Fix it there, then run this again.',
  );
}
