import type { Readable, Writable } from 'node:stream';
import { execa } from 'execa';

export interface Finished {
  /** 128 + n when a signal ended it, 127 when there is no such program. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly cwd?: string;
  /** Added to this process's environment, unless `inheritEnv` is false: then it is all there is. */
  readonly env?: Readonly<Record<string, string>>;
  readonly inheritEnv?: boolean;
  /** A process group of its own, which ends with the program: nothing it started goes on or keeps its output open. */
  readonly ownGroup?: boolean;
  /** Written to standard input. The place for secrets: argv is public. */
  readonly input?: string;
  /** The same piece by piece, as it comes: standard input stays open until there is no more. */
  readonly feed?: AsyncIterable<string>;
  readonly signal?: AbortSignal;
  /** Milliseconds until the program is ended. */
  readonly timeout?: number;
  /** Called with each line of output as it comes. */
  readonly onLine?: (line: string) => void;
}

/** Runs a program with an argument vector (never a shell) and returns however it ended. */
export type Run = (program: string, args: readonly string[], options?: RunOptions) => Promise<Finished>;

export const run: Run = async (program, args, options = {}) => {
  const child = execa(program, args, {
    reject: false,
    stdin: options.input === undefined && options.feed === undefined ? 'ignore' : 'pipe',
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    extendEnv: options.inheritEnv ?? true,
    detached: options.ownGroup ?? false,
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    all: true,
  });
  const { pid } = child;
  if (options.feed !== undefined && child.stdin !== null) void pour(options.feed, child.stdin);
  if (options.ownGroup === true && pid !== undefined) child.once('exit', () => endGroup(pid));
  if (options.onLine !== undefined)
    for await (const line of child.iterable({ from: 'all' })) options.onLine(line);
  const result = await child;
  const missing = result.code === 'ENOENT';
  return {
    exitCode: result.exitCode ?? (missing ? 127 : 143),
    stdout: result.stdout,
    stderr: missing ? `${program}: not found` : result.stderr,
  };
};

/** A program that has ended is not waited for: it reads no more. */
async function pour(feed: AsyncIterable<string>, stdin: Writable): Promise<void> {
  stdin.on('error', () => undefined);
  for await (const piece of feed) {
    if (!stdin.writable) return;
    stdin.write(piece);
  }
  stdin.end();
}

/** Adds to the environment of whatever is run. */
export function withVariables(run: Run, variables: Readonly<Record<string, string>>): Run {
  return (program, args, options = {}) =>
    run(program, args, { ...options, env: { ...variables, ...options.env } });
}

function endGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // nobody is left, as a rule
  }
}

/** What a program said that failed: on standard error, as a rule. */
export function saidBy({ stderr, stdout }: Pick<Finished, 'stderr' | 'stdout'>): string {
  return stderr.trim() || stdout.trim();
}

/** The end of it, where most programs say why. */
export function lastLines(said: string, many = 1): string {
  return said.trim().split('\n').slice(-many).join('\n').trim();
}

/** Lets a program have the terminal. `errors`: what it prints goes to standard error too. Its exit code. */
export async function runVisibly(
  program: string,
  args: readonly string[],
  { cwd, printTo }: { cwd: string; printTo: 'output' | 'errors' },
): Promise<number> {
  const result = await execa(program, args, {
    cwd,
    reject: false,
    stdin: 'inherit',
    stdout: printTo === 'errors' ? 2 : 'inherit',
    stderr: 'inherit',
  });
  return result.exitCode ?? 143;
}

/** Runs a program for its standard output as a stream. The stream fails when the program does. */
export function runForOutput(program: string, args: readonly string[]): Readable {
  return execa(program, args, { stdin: 'ignore', buffer: false }).readable();
}
