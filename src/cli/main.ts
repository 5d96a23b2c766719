import { type Command, CommanderError, type Option } from 'commander';
import { Failure, messageOf, systemCode, WrongInput } from '../errors.ts';
import { environment } from '../settings/environment.ts';
import { diskFailure } from './disk-errors.ts';
import { Terminal } from './terminal.ts';

const WRONG_INPUT = 2;
const FAILED = 1;
/**
 * Folders that parts mount are read by other users (nginx's workers), whatever the person's own umask is, as is what apt
 * makes. What is secret has a mode of its own.
 */
const SHARED = 0o022;
/** 128 + SIGINT, as shells have it. */
const INTERRUPTED = 130;

/**
 * Runs a command and turns however it ends into an exit code: 0 done, 1 it failed and says what to do,
 * 2 wrong input and nothing changed.
 */
export async function main(command: Command): Promise<void> {
  process.umask(SHARED);
  for (const each of [command, ...command.commands]) {
    each.exitOverride().showHelpAfterError(`What there is: ${helpOf(command)}`);
    each.configureHelp({ optionDescription: describe });
    each.configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, '')) });
  }
  for (const stream of [process.stdout, process.stderr]) stream.on('error', expectClosedPipe);
  try {
    expectOwnFlags(command);
    await command.parseAsync();
  } catch (error) {
    process.exitCode = conclude(error, new Terminal(process.stderr));
    if (process.argv.includes('--json') && process.exitCode !== 0) printJson(error);
  }
}

/** `| head`: nobody reads on, and what was begun still comes to its end. */
function expectClosedPipe(error: Error): void {
  if (systemCode(error) !== 'EPIPE') throw error;
}

function helpOf(command: Command): string {
  return `${command.name()} --help`;
}

/** Without `(default: false)` behind every flag that takes no value. */
function describe({ description, defaultValue }: Option): string {
  const worthIt = typeof defaultValue === 'number' || typeof defaultValue === 'string';
  return worthIt ? `${description} (default: ${defaultValue})` : description;
}

/** Flags that npm has too, and people set for npm. That one of them is missing is no harm. */
const ALSO_NPMS = ['--yes', '--force', '--json', '--user', '--only', '--ca'];

/** `npm run renew --dry-run`: npm keeps the flag for itself, and the run would be a real one. */
function expectOwnFlags(command: Command): void {
  const options = [command, ...command.commands].flatMap((each) => each.options);
  const flags = options.flatMap(({ short, long, required, optional }) =>
    [short, long].map((name) => ({ name, takesValue: required || optional })),
  );
  for (const { name: long, takesValue } of flags) {
    if (!long?.startsWith('--') || ALSO_NPMS.includes(long) || process.argv.includes(long)) continue;
    const taken = environment()[`npm_config_${long.slice(2).replaceAll('-', '_')}`];
    if (taken !== 'true' && !(takesValue && taken)) continue; // `--allow=push:team` arrives with its value
    const right = `npm run ${environment().npm_lifecycle_event ?? 'NAME'} -- ${long}`;
    throw new WrongInput([{ input: long, message: `npm took it for itself; write: ${right}` }]);
  }
}

/** For programs: what went wrong, on standard output, where they look for the result. */
function printJson(error: unknown): void {
  if (error instanceof CommanderError) return;
  const failure = error instanceof Failure ? error : diskFailure(error);
  const told =
    error instanceof WrongInput
      ? { code: 'wrong-input', problems: error.problems }
      : { code: failure?.code ?? 'defect', message: messageOf(failure ?? error), remedy: failure?.remedy };
  process.stdout.write(`${JSON.stringify({ error: told }, null, 2)}\n`);
}

function conclude(error: unknown, terminal: Terminal): number {
  if (error instanceof Error && error.name === 'ExitPromptError') return INTERRUPTED; // Ctrl-C at a question
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_INPUT;
  if (error instanceof WrongInput) {
    for (const { input, message } of error.problems)
      terminal.paragraph(`${terminal.style('red', input)}: ${message}`);
    return WRONG_INPUT;
  }
  const failure = error instanceof Failure ? error : diskFailure(error);
  if (failure !== undefined) {
    for (const line of failure.message.split('\n')) terminal.paragraph(terminal.style('red', line));
    terminal.paragraph(failure.remedy);
    return FAILED;
  }
  terminal.line(error instanceof Error ? (error.stack ?? error.message) : String(error));
  terminal.line('This is a defect in Moorage; please report it with the lines above.');
  return FAILED;
}
