import { randomBytes } from 'node:crypto';
import { WrongInput } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { Secret } from '../secret.ts';
import { type BackupTarget, parseBackupTarget } from '../settings/backup-target.ts';
import { writeGenerated } from '../settings/env-file.ts';
import type { BackupSettings } from '../settings/settings.ts';
import { changed, type Done, unchanged } from '../step.ts';

/**
 * The target that was given, or that of the settings.
 * @throws WrongInput before anybody is asked
 */
export function targetOf(given: string | undefined, settings: BackupSettings): BackupTarget {
  const target = given === undefined ? settings.target : parseBackupTarget(given);
  if (target === undefined)
    throw new WrongInput([
      { input: 'TARGET', message: 'name one, such as user@host:/folder, or set BACKUP_TARGET in .env' },
    ]);
  if (typeof target === 'string')
    throw new WrongInput([
      { input: 'TARGET', message: /:\/\/.*@/s.test(given ?? '') ? target : `"${given}" ${target}` }, // it may have a password
    ]);
  return target;
}

/** @throws WrongInput when backups are to be read, and nobody ever made one here */
export function expectPassword({ password }: BackupSettings): Secret {
  if (password !== undefined) return password;
  throw new WrongInput([
    {
      input: 'BACKUP_PASSWORD',
      message: 'is not set; take it from the .env of the registry that was backed up',
    },
  ]);
}

/** What backups are encrypted with: it is made once and stays in `.env`. */
export async function ensurePassword(
  { envFile }: Paths,
  { password }: BackupSettings,
): Promise<Done<Secret>> {
  if (password !== undefined) return unchanged('BACKUP_PASSWORD', password);
  const made = randomBytes(24).toString('base64url');
  await writeGenerated(envFile, { BACKUP_PASSWORD: made });
  return changed('BACKUP_PASSWORD made, in .env', new Secret(made));
}
