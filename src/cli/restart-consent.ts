import { WrongInput } from '../errors.ts';
import { agreesTo } from './consent.ts';
import type { Terminal } from './terminal.ts';

/**
 * Tells what a restart comes to, and asks for it.
 * @throws WrongInput where nobody can be asked
 */
export function askRestart(terminal: Terminal, yes: boolean): (warning: string) => Promise<boolean> {
  return async (warning) => {
    if (!yes && !terminal.interactive)
      throw new WrongInput([
        { input: '--yes', message: `nobody can be asked here, and it has to be agreed to: ${warning}` },
      ]);
    terminal.paragraph(warning);
    return agreesTo(terminal, yes, 'Restart it now?');
  };
}
