import type { Finished } from '../system/processes.ts';

export interface RemoteOptions {
  /** Written to standard input. The place for secrets: argv is public there, too. */
  readonly input?: string;
  /** The same piece by piece, as it comes: standard input stays open until there is no more. */
  readonly feed?: AsyncIterable<string>;
  /** The folder the command runs in. */
  readonly cwd?: string;
  /** Called with each line of output as it comes. */
  readonly onLine?: (line: string) => void;
  /** Milliseconds until it is given up. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** A machine that commands are run on, as root. `SshHost` is the real one; tests bring their own. */
export interface RemoteHost {
  /** As the person wrote it. */
  readonly name: string;
  /** What `name` stands for: the address or host name that a connection goes to. */
  readonly address: string;
  /**
   * Runs a program with an argument vector, each word arriving as it is.
   * @throws Failure `connection-lost` and those of `SshHost.open`; how the program ended is in what it returns
   */
  run(command: readonly string[], options?: RemoteOptions): Promise<Finished>;
  /**
   * Runs rsync between here and there. In `args` the far side is written as `far('/folder/')`.
   * @throws Failure `connection-lost`, `rsync-missing`
   */
  rsync(
    args: (far: (path: string) => string) => readonly string[],
    options?: RsyncOptions,
  ): Promise<Finished>;
  close(): Promise<void>;
}

/** As the person wrote it, and where that leads. */
export function hostInWords({ name, address }: Pick<RemoteHost, 'name' | 'address'>): string {
  return name === address ? name : `${name} (${address})`;
}

export type RsyncOptions = Pick<RemoteOptions, 'onLine' | 'signal' | 'input'>;
