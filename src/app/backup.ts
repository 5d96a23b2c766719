import { join } from 'node:path';
import { Restic } from '../backup/restic.ts';
import type { Secret } from '../secret.ts';
import type { BackupTarget } from '../settings/backup-target.ts';
import type { BackupSettings } from '../settings/settings.ts';
import type { App } from './app.ts';

/** restic, put together for one target. */
export function openRestic(
  { run, paths }: App,
  command: readonly string[],
  target: BackupTarget,
  password: Secret,
  keys: BackupSettings['keys'],
): Restic {
  return new Restic({ run, command, cache: join(paths.backups, 'cache') }, target, password, keys);
}
