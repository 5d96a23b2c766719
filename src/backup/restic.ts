import { Failure } from '../errors.ts';
import type { Secret } from '../secret.ts';
import type { BackupTarget } from '../settings/backup-target.ts';
import type { BackupSettings } from '../settings/settings.ts';
import { type Finished, lastLines, type Run } from '../system/processes.ts';
import { failureOf } from './restic-failure.ts';

export interface ResticParts {
  readonly run: Run;
  /** The program and what stands before its own arguments. */
  readonly command: readonly string[];
  /** What restic remembers of targets, so that it need not ask them. */
  readonly cache: string;
}

interface Asked {
  readonly cwd?: string;
  readonly onLine?: (line: string) => void;
  /** Exit codes that the caller judges itself. */
  readonly accept?: readonly number[];
}

/** These would win over what is set here. */
const OTHERS_OFF = {
  RESTIC_REPOSITORY_FILE: '',
  RESTIC_PASSWORD_FILE: '',
  RESTIC_PASSWORD_COMMAND: '',
  RESTIC_KEY_HINT: '',
};

/** restic at one target. The password and keys go by its environment, which no other user can see. */
export class Restic {
  readonly #parts: ResticParts;
  readonly target: BackupTarget;
  readonly #environment: Readonly<Record<string, string>>;

  constructor(parts: ResticParts, target: BackupTarget, password: Secret, keys: BackupSettings['keys']) {
    this.#parts = parts;
    this.target = target;
    this.#environment = {
      ...OTHERS_OFF,
      RESTIC_REPOSITORY: target.repository,
      RESTIC_PASSWORD: password.reveal(),
      RESTIC_CACHE_DIR: parts.cache,
      RESTIC_PROGRESS_FPS: '1',
      ...(keys && { AWS_ACCESS_KEY_ID: keys.id, AWS_SECRET_ACCESS_KEY: keys.secret.reveal() }),
    };
  }

  /** @throws Failure that says what is wrong with the target; see `failureOf` */
  async ask(args: readonly string[], { cwd, onLine, accept = [] }: Asked = {}): Promise<Finished> {
    const [program = 'restic', ...before] = this.#parts.command;
    const finished = await this.#parts.run(program, [...before, ...this.#options(), ...args], {
      env: this.#environment,
      ...(cwd === undefined ? {} : { cwd }),
      ...(onLine === undefined ? {} : { onLine }),
    });
    if (finished.exitCode !== 0 && !accept.includes(finished.exitCode))
      throw failureOf(args[0] ?? '', this.target, finished);
    return finished;
  }

  /** The last line of output that is JSON of the wanted kind. */
  async askJson<T>(args: readonly string[], read: (value: unknown) => T, asked?: Asked): Promise<T> {
    const { stdout } = await this.ask([...args, '--json'], asked);
    const line = lastLines(stdout);
    try {
      return read(JSON.parse(line));
    } catch (cause) {
      throw new Failure(
        'restic-failed',
        `restic ${args[0]} answered with something else than expected: ${line.slice(0, 200)}`,
        'Is it a version of restic that is newer than Moorage? Report it.',
        { cause },
      );
    }
  }

  /** A host that is gone must not be waited for without end, and nobody is there to type a password for ssh. */
  #options(): readonly string[] {
    if (this.target.kind !== 'ssh') return [];
    const ssh =
      'ssh -o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=15 -o ServerAliveCountMax=4';
    return ['-o', `sftp.command=${ssh} ${this.target.login.replace(/[[\]]/g, '')} -s sftp`];
  }
}
