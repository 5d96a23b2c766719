import confirm from '@inquirer/confirm';
import { WrongInput } from '../errors.ts';
import type { Proposal } from '../host/plan.ts';
import type { Terminal } from './terminal.ts';

/** `--yes` agrees; a person is asked; where there is neither, nothing is agreed to. */
export function askConsent(
  terminal: Terminal,
  yes: boolean,
): (actions: readonly Proposal[]) => Promise<boolean> {
  return async (actions) => {
    if (yes) return true;
    if (!terminal.interactive) return false;
    terminal.line('This machine lacks something. With your consent Moorage will:');
    for (const { phrase } of actions) terminal.paragraph(`  - ${phrase}`);
    return terminal.undisturbed(() => confirm({ message: 'Go ahead?', default: false }));
  };
}

/**
 * Asks whether a plan that was shown is to be carried out.
 * @throws WrongInput where nobody can be asked
 */
export async function agrees(terminal: Terminal, yes: boolean, question: string): Promise<boolean> {
  return agreesTo(terminal, yes, question, ', or --dry-run to only see what would happen');
}

/** The same where there is nothing like a plan to only look at. */
export async function agreesTo(
  terminal: Terminal,
  yes: boolean,
  question: string,
  otherwise = '',
): Promise<boolean> {
  if (yes) return true;
  if (terminal.interactive) {
    const agreed = await terminal.undisturbed(() => confirm({ message: question, default: false }));
    if (!agreed) terminal.line('Nothing was changed.');
    return agreed;
  }
  const message = `nobody can be asked here; add it to go ahead${otherwise}`;
  throw new WrongInput([{ input: '--yes', message }]);
}

/** Asks about images that would come along. Where nobody can be asked, nothing is agreed to. */
export function askToFollow(terminal: Terminal, yes: boolean): (what: string) => Promise<boolean> {
  return async (what) => {
    if (!yes && !terminal.interactive) return false;
    terminal.paragraph(what);
    if (yes) return true;
    return terminal.undisturbed(() => confirm({ message: 'Move the images along?', default: false }));
  };
}
