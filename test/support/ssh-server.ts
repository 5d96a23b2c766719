import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { eventually, systemClock } from '../../src/system/clock.ts';
import { freePort } from './checkout.ts';
import { makeShim } from './shims.ts';

/** Debian's sshd on a loopback port, with keys of its own; whoever runs the tests may log in by key. */
export class SshServer {
  /** `user@host`, as the client's configuration knows it. */
  readonly login: string;
  /** Puts an `ssh` first that reads this server's client configuration, as `~/.ssh/config` would be read. */
  readonly env: { readonly PATH: string };
  readonly #child: ChildProcess;

  private constructor(login: string, env: { PATH: string }, child: ChildProcess) {
    this.login = login;
    this.env = env;
    this.#child = child;
  }

  static async start(folder: string): Promise<SshServer> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const at = (name: string) => join(folder, name);
    for (const key of ['host', 'client'])
      await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', key, '-f', at(key)]);
    const port = await freePort();
    const server = [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${at('host')}`,
      `PidFile ${at('pid')}`,
      `AuthorizedKeysFile ${at('client.pub')}`,
      'PermitRootLogin prohibit-password',
      'PasswordAuthentication no',
      'StrictModes no', // the folder for temporary files is everybody's
      'Subsystem sftp internal-sftp',
      '',
    ];
    await writeFile(at('sshd_config'), server.join('\n'));
    const client = [
      'Host backup-host',
      '  HostName 127.0.0.1',
      `  Port ${port}`,
      `  IdentityFile ${at('client')}`,
      '  IdentitiesOnly yes',
      `  UserKnownHostsFile ${at('known_hosts')}`,
      '  StrictHostKeyChecking accept-new',
      '',
    ];
    await writeFile(at('ssh_config'), client.join('\n'));
    await mkdir('/run/sshd', { recursive: true }); // sshd wants it for its separated part
    const child = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', at('sshd_config')], {
      stdio: 'ignore',
      detached: true,
    });
    const env = await makeShim(at('bin'), 'ssh', `-F ${at('ssh_config')}`);
    const login = `${userInfo().username}@backup-host`;
    const up = await eventually(systemClock, { within: 20_000, every: 100 }, async () => {
      const { exitCode } = await execa('ssh', ['-o', 'BatchMode=yes', login, 'true'], { env, reject: false });
      return exitCode === 0 ? true : undefined;
    });
    if (up === undefined) throw new Error('sshd does not start');
    return new SshServer(login, env, child);
  }

  /** As when the host goes away: connections end too. */
  async stop(): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const { stdout } = await execa('pgrep', ['-P', String(pid)], { reject: false });
    for (const connection of stdout.split('\n').filter(Boolean)) process.kill(Number(connection), 'SIGKILL');
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
