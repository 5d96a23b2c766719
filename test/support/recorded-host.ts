import type { RemoteHost } from '../../src/remote/host.ts';
import type { Finished } from '../../src/system/processes.ts';

/** A machine that answers what the test says, and remembers what it was asked to run. */
export class RecordedHost implements RemoteHost {
  readonly name = 'vps';
  readonly address = '192.0.2.7';
  readonly ran: string[] = [];
  readonly #answer: (line: string) => Partial<Finished>;

  constructor(answer: (line: string) => Partial<Finished> = () => ({})) {
    this.#answer = answer;
  }

  async run(command: readonly string[]): Promise<Finished> {
    const line = command.join(' ');
    this.ran.push(line);
    return { exitCode: 0, stdout: '', stderr: '', ...this.#answer(line) };
  }

  rsync(args: (far: (path: string) => string) => readonly string[]): Promise<Finished> {
    return this.run(['rsync', ...args((path) => `vps:${path}`)]);
  }

  async close(): Promise<void> {}
}
