import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { changed, type Done, unchanged } from '../step.ts';
import { readOurs, type ServiceManager, systemctl } from './install-unit.ts';
import { unitName } from './unit.ts';

/**
 * Starts the daemon anew when settings or program are newer than it: it read them when it started. Somebody who is not
 * root is told to.
 * @throws Failure `unit-taken`, `systemd-failed`
 */
export async function refreshUnit(
  manager: ServiceManager,
  place: { readonly project: string; readonly checkout: string },
): Promise<Done> {
  const name = unitName(place.project);
  if ((await readOurs(manager, place)) === undefined) return unchanged('none of ours: another supervisor’s');
  const started = await startOf(manager, name);
  if (started !== undefined && started > (await lastChange(place.checkout)))
    return unchanged(`${name} is up to date`);
  if (!manager.root) return unchanged(`older than the settings: run sudo systemctl restart ${name}`);
  await systemctl(manager, 'restart', name);
  return changed(`${name} started anew`);
}

/** In ms since 1970; `undefined` when it does not run. */
async function startOf({ run }: ServiceManager, name: string): Promise<number | undefined> {
  const { stdout } = await run('systemctl', ['show', '--property=ActiveEnterTimestamp', '--value', name], {
    env: { TZ: 'UTC', LC_ALL: 'C' }, // Sat 2026-11-21 08:29:51 UTC
  });
  const time = Date.parse(stdout.trim().replace(/^\w+ /, ''));
  return Number.isNaN(time) ? undefined : time;
}

async function lastChange(checkout: string): Promise<number> {
  const code = await readdir(join(checkout, 'src'), { recursive: true });
  const files = [
    '.env',
    'scripts/daemon.ts',
    'node_modules/.package-lock.json',
    ...code.map((name) => join('src', name)),
  ];
  const times = await Promise.all(
    files.map((file) =>
      stat(join(checkout, file)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  return Math.max(...times);
}
