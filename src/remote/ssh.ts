import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../errors.ts';
import type { Finished, Run } from '../system/processes.ts';
import { tellsOfFullDisk } from './copied.ts';
import { type Destination, destinationInWords } from './destination.ts';
import type { RemoteHost, RemoteOptions, RsyncOptions } from './host.ts';
import { commandLine, forAnyShell, quoted } from './quote.ts';
import { connectionFailure, noisyShell, sudoFailure } from './ssh-failure.ts';

/** What `ssh` ends with when it is itself that failed (ssh(1), EXIT STATUS). */
const SSH_FAILED = 255;
/** Of rsync(1), EXIT VALUES: nobody takes what it writes, its stream broke off, nothing came in time; and what `ssh` ends with. */
const CONNECTION_ENDED: readonly number[] = [10, 12, 30, SSH_FAILED];
/** Seconds, where ssh_config says nothing: a host that does not answer is not waited for as long as TCP would. */
const CONNECT_WITHIN = 15;
/** Seconds; after four without an answer the connection counts as lost. */
const ALIVE_EVERY = 15;

const RSH = fileURLToPath(new URL('rsh.mjs', import.meta.url));

export interface SshParts {
  readonly run: Run;
  /** Whether `ssh` may ask at the terminal: for a passphrase, or whether a new host is the right one. */
  readonly interactive: boolean;
}

/**
 * A machine reached by the system's own `ssh`: its configuration, agent, jump hosts and known hosts apply. All commands
 * share one connection. Whoever does not log in as root has to be let by sudo without a password.
 */
export class SshHost implements RemoteHost {
  readonly name: string;
  readonly address: string;
  readonly #run: Run;
  readonly #options: readonly string[];
  readonly #destination: string;
  readonly #folder: string;
  #asRoot: readonly string[] = [];

  private constructor(
    run: Run,
    name: string,
    address: string,
    options: readonly string[],
    destination: string,
    folder: string,
  ) {
    this.name = name;
    this.address = address;
    this.#run = run;
    this.#options = options;
    this.#destination = destination;
    this.#folder = folder;
  }

  /**
   * @throws Failure `ssh-missing`, `host-unreachable`, `host-key-changed`, `host-key-unknown`, `login-refused`,
   *   `connection-lost`, `shell-not-silent`, `sudo-needed`
   */
  static async open(destination: Destination, { run, interactive }: SshParts): Promise<SshHost> {
    const name = destinationInWords(destination);
    const own = optionsOf(destination);
    const config = await run('ssh', [...own, '-G', '--', destination.host]);
    if (config.exitCode === 127)
      throw new Failure('ssh-missing', 'There is no ssh here.', 'apt-get install openssh-client');
    if (config.exitCode !== 0) throw connectionFailure(name, config);
    const said = new Map(config.stdout.split('\n').map((line) => splitOnce(line)));
    // A socket's path may have 104 bytes at most, so it stands in a folder with a short name.
    const folder = await mkdtemp(join(tmpdir(), 'mrg-'));
    const options = [
      ...own,
      ...commandsAlone(said),
      ...['-o', 'ControlMaster=auto', '-o', `ControlPath=${forConfig(join(folder, 's'))}`],
      ...['-o', 'ControlPersist=60'],
      ...(interactive ? [] : ['-o', 'BatchMode=yes']),
      ...(said.get('connecttimeout') === 'none' ? ['-o', `ConnectTimeout=${CONNECT_WITHIN}`] : []),
      ...(said.get('serveraliveinterval') === '0'
        ? ['-o', `ServerAliveInterval=${ALIVE_EVERY}`, '-o', 'ServerAliveCountMax=4']
        : []),
    ];
    const host = new SshHost(
      run,
      name,
      said.get('hostname') ?? destination.host,
      options,
      destination.host,
      folder,
    );
    try {
      await host.#becomeRoot();
    } catch (error) {
      await host.close();
      throw error;
    }
    return host;
  }

  async run(command: readonly string[], { cwd, input, ...options }: RemoteOptions = {}): Promise<Finished> {
    const there =
      cwd === undefined ? commandLine(command) : `cd ${quoted(cwd)} && exec ${commandLine(command)}`;
    const line = `umask 022; ${there}`; // whatever root's is: others read what is made there, too
    const words =
      cwd === undefined && this.#asRoot.length === 0
        ? line
        : commandLine([...this.#asRoot, 'sh', '-c', line]);
    return this.#ssh(words, input === undefined ? options : { ...options, input });
  }

  async rsync(
    args: (far: (path: string) => string) => readonly string[],
    options: RsyncOptions = {},
  ): Promise<Finished> {
    const shell = [process.execPath, RSH, 'ssh', ...this.#options].map(forRsync).join(' ');
    const place = this.#destination.includes(':') ? `[${this.#destination}]` : this.#destination;
    const far = (path: string) => `${place}:${path}`;
    const there = commandLine([...this.#asRoot, 'rsync']);
    const result = await this.#run(
      'rsync',
      ['--protect-args', '--rsh', shell, '--rsync-path', there, ...args(far)],
      options,
    );
    if (result.exitCode === 127 && /^rsync: not found/.test(result.stderr))
      throw new Failure('rsync-missing', 'There is no rsync here.', 'apt-get install rsync');
    if (CONNECTION_ENDED.includes(result.exitCode) && !tellsOfFullDisk(result.stderr))
      throw connectionFailure(this.name, result);
    return result;
  }

  async close(): Promise<void> {
    await this.#run('ssh', [...this.#options, '-O', 'exit', '--', this.#destination]);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #becomeRoot(): Promise<void> {
    const who = await this.#ssh('id -u');
    if (who.exitCode !== 0) throw connectionFailure(this.name, who);
    if (!/^\d+$/.test(who.stdout.trim())) throw noisyShell(this.name, who);
    if (who.stdout.trim() === '0') return;
    const sudo = await this.#ssh('sudo -n true');
    if (sudo.exitCode !== 0) throw sudoFailure(this.name, sudo);
    this.#asRoot = ['sudo', '-n', '--'];
  }

  async #ssh(line: string, options: Omit<RemoteOptions, 'cwd'> = {}): Promise<Finished> {
    const words = [...this.#options, '--', this.#destination, forAnyShell(line)];
    const result = await this.#run('ssh', words, options);
    if (result.exitCode === SSH_FAILED) throw connectionFailure(this.name, result);
    return result;
  }
}

function optionsOf({ user, port, identityFile }: Destination): string[] {
  return [
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(identityFile === undefined ? [] : ['-i', identityFile]),
  ];
}

/**
 * What a person's configuration has for logging in by hand is in the way of commands: a terminal, commands of its own, no
 * standard input, tunnels, silence about what is wrong. Options that older clients do not know are only given where the configuration has them.
 */
function commandsAlone(said: ReadonlyMap<string, string>): string[] {
  const inTheWay = [
    ['remotecommand', 'none', 'RemoteCommand'],
    ['permitlocalcommand', 'no', 'PermitLocalCommand'],
    ['sessiontype', 'default', 'SessionType'],
    ['stdinnull', 'no', 'StdinNull'],
    ['forkafterauthentication', 'no', 'ForkAfterAuthentication'],
  ] as const;
  return [
    ...['-T', '-o', 'ClearAllForwardings=yes'],
    ...(/^(SILENT|QUIET|FATAL)$/.test(said.get('loglevel') ?? '') ? ['-o', 'LogLevel=ERROR'] : []),
    ...inTheWay.flatMap(([name, off, option]) =>
      (said.get(name) ?? off) === off ? [] : ['-o', `${option}=${off}`],
    ),
  ];
}

/** A path as ssh_config(5) takes it. */
function forConfig(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`;
}

/** rsync(1), --rsh: within quotes a doubled one stands for itself. */
function forRsync(word: string): string {
  return `'${word.replaceAll("'", "''")}'`;
}

function splitOnce(line: string): [string, string] {
  const at = line.indexOf(' ');
  return [line.slice(0, at), line.slice(at + 1)];
}
