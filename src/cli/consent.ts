import confirm from '@inquirer/confirm';
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

/** `--yes` agrees; a person is asked; where there is neither, it is said how to agree. */
export async function agree(terminal: Terminal, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (terminal.interactive)
    return terminal.undisturbed(() => confirm({ message: 'Go ahead?', default: false }));
  terminal.line('Nothing was done: there is no terminal to ask at. Add --yes to do it.');
  return false;
}
