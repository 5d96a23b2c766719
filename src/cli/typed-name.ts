import { createInterface } from 'node:readline/promises';
import { WrongInput } from '../errors.ts';
import type { Terminal } from './terminal.ts';

/**
 * For what can't be undone: the person gives the name of the registry, or types it.
 * @param given by an option; `true` without a value
 * @throws WrongInput for another name, and where there is nobody to ask
 */
export async function expectName(terminal: Terminal, name: string, given: string | true): Promise<void> {
  const typed = given === true ? await ask(terminal, name) : given;
  if (typed.trim().toLowerCase() === name) return;
  throw new WrongInput([
    { input: '--purge', message: `"${typed}" is not the name of this registry, which is ${name}` },
  ]);
}

async function ask(terminal: Terminal, name: string): Promise<string> {
  if (!terminal.interactive)
    throw new WrongInput([
      { input: '--purge', message: `nobody can be asked here: give the name, --purge ${name}` },
    ]);
  return terminal.undisturbed(async () => {
    const reader = createInterface({ input: process.stdin, output: process.stderr });
    const leaving = new Promise<never>((_, reject) => {
      const leave = () => reject(Object.assign(new Error('left'), { name: 'ExitPromptError' }));
      reader.once('SIGINT', leave);
      reader.once('close', leave);
    });
    try {
      return await Promise.race([reader.question(`Type ${name} to remove all of this for good: `), leaving]);
    } finally {
      leaving.catch(() => undefined);
      reader.close();
    }
  });
}
