import confirm from '@inquirer/confirm';
import type { Prospect } from '../deploy/prospect.ts';
import { Failure } from '../errors.ts';
import type { Terminal } from './terminal.ts';

/**
 * One question for all machines: whether what they lack may be installed, and Docker be restarted where that is needed.
 * Nothing is asked where neither is.
 * @throws Failure `consent-needed` where nobody can be asked, or whoever was asked said no
 */
export async function agreeToPrograms(
  terminal: Terminal,
  yes: boolean,
  prospects: readonly Prospect[],
): Promise<void> {
  const lacking = prospects
    .map((prospect) => ({ name: prospect.order.target.name, actions: actionsFor(prospect) }))
    .filter(({ actions }) => actions.length > 0);
  if (yes || lacking.length === 0) return;
  if (terminal.interactive) {
    terminal.line('With your consent Moorage will:');
    for (const { name, actions } of lacking)
      for (const { phrase } of actions)
        terminal.paragraph(`  - ${prospects.length === 1 ? '' : `${name}: `}${phrase}`);
    if (await terminal.undisturbed(() => confirm({ message: 'Go ahead?', default: false }))) return;
  }
  const commands = lacking.flatMap(({ name, actions }) => [
    `  on ${name}:`,
    ...actions.flatMap((action) => action.commands.map((command) => `    ${command}`)),
  ]);
  throw new Failure(
    'consent-needed',
    `${lacking.map(({ name }) => name).join(', ')}: nothing is installed and Docker not restarted without consent.`,
    `Run this again with --yes, or run these there yourself:\n${commands.join('\n')}`,
  );
}

function actionsFor({ programs, docker, restart }: Prospect) {
  return [...programs, ...[docker, restart].filter((each) => each !== undefined)];
}
