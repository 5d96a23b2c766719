import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually, systemClock } from '../../src/system/clock.ts';

const SOON = { within: 30_000, every: 50 };

/** A command in a pseudo terminal of so many columns and rows (script(1) of util-linux). */
export class TerminalSession {
  readonly #child: ChildProcess;
  #seen = '';

  constructor(
    command: string,
    { cwd, env, columns, rows }: { cwd: string; env: Record<string, string>; columns: number; rows: number },
  ) {
    const sized = `stty cols ${columns} rows ${rows}; ${command}`;
    this.#child = spawn('script', ['-qefc', sized, '/dev/null'], {
      cwd,
      env: { ...process.env, TERM: 'xterm-256color', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#seen += chunk.toString();
    });
  }

  /** All that the terminal was sent, control sequences included. */
  get seen(): string {
    return this.#seen;
  }

  press(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  /** Waits until the terminal was sent this. */
  async shows(what: RegExp): Promise<void> {
    const found = await eventually(systemClock, SOON, async () => (what.test(this.#seen) ? true : undefined));
    if (found === undefined) throw new Error(`${what} was not shown, but:\n${this.#seen}`);
  }

  async exitCode(): Promise<number | null> {
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    return this.#child.exitCode;
  }

  dispose(): void {
    this.#child.kill();
  }
}
