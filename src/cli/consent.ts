import confirm from '@inquirer/confirm';
import { WrongInput } from '../errors.ts';
import type { Action } from '../host/plan.ts';
import type { Terminal } from './terminal.ts';

/** `--yes` agrees; a person is asked; where there is neither, nothing is agreed to. */
export function askConsent(
  terminal: Terminal,
  yes: boolean,
): (actions: readonly Action[]) => Promise<boolean> {
  return async (actions) => {
    if (yes) return true;
    if (!terminal.interactive) return false;
    terminal.line('This machine lacks something. With your consent Moorage will:');
    for (const { phrase } of actions) terminal.line(`  - ${phrase}`);
    return terminal.undisturbed(() => confirm({ message: 'Go ahead?', default: false }));
  };
}

/**
 * Asks whether a plan that was shown is to be carried out.
 * @throws WrongInput where nobody can be asked
 */
export async function agrees(terminal: Terminal, yes: boolean, question: string): Promise<boolean> {
  if (yes) return true;
  if (terminal.interactive) {
    const agreed = await terminal.undisturbed(() => confirm({ message: question, default: false }));
    if (!agreed) terminal.line('Nothing was changed.');
    return agreed;
  }
  const message =
    'nobody can be asked here: add it to carry out what is planned, or --dry-run to only see it';
  throw new WrongInput([{ input: '--yes', message }]);
}
