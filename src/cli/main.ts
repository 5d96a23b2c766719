import { type Command, CommanderError } from 'commander';
import { Failure, WrongInput } from '../errors.ts';
import { diskFailure } from './disk-errors.ts';
import { Terminal } from './terminal.ts';

const WRONG_INPUT = 2;
const FAILED = 1;
/** 128 + SIGINT, as shells have it. */
const INTERRUPTED = 130;

/**
 * Runs a command and turns however it ends into an exit code: 0 done, 1 it failed and says what to do,
 * 2 wrong input and nothing changed.
 */
export async function main(command: Command): Promise<void> {
  for (const each of [command, ...command.commands]) {
    each.exitOverride().showHelpAfterError(false);
    each.configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, '')) });
  }
  try {
    await command.parseAsync();
  } catch (error) {
    process.exitCode = conclude(error, new Terminal(process.stderr));
  }
}

function conclude(error: unknown, terminal: Terminal): number {
  if (error instanceof Error && error.name === 'ExitPromptError') return INTERRUPTED; // Ctrl-C at a question
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_INPUT;
  if (error instanceof WrongInput) {
    for (const { input, message } of error.problems)
      terminal.line(`${terminal.style('red', input)}: ${message}`);
    return WRONG_INPUT;
  }
  const failure = error instanceof Failure ? error : diskFailure(error);
  if (failure !== undefined) {
    terminal.line(terminal.style('red', failure.message));
    terminal.line(failure.remedy);
    return FAILED;
  }
  terminal.line(error instanceof Error ? (error.stack ?? error.message) : String(error));
  terminal.line('This is a defect in Moorage; please report it with the lines above.');
  return FAILED;
}
