import askPassword from '@inquirer/password';
import { WrongInput } from '../errors.ts';
import { Secret } from '../secret.ts';
import type { BackupSettings } from '../settings/settings.ts';
import type { Terminal } from './terminal.ts';

/** Of the environment, else of whoever sits at the terminal. */
export async function backupPassword({ password }: BackupSettings, terminal: Terminal): Promise<Secret> {
  if (password !== undefined) return password;
  if (terminal.interactive)
    return new Secret(await terminal.undisturbed(() => askPassword({ message: 'BACKUP_PASSWORD:' })));
  throw new WrongInput([
    {
      input: 'BACKUP_PASSWORD',
      message: 'is not set; take it from the .env of the registry that was backed up',
    },
  ]);
}
