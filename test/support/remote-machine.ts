import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { eventually, systemClock } from '../../src/system/clock.ts';
import { BareMachine } from './bare-machine.ts';
import type { Ran } from './checkout.ts';
import { makeShim } from './shims.ts';

const RED_HAT = new URL('red-hat.sh', import.meta.url);

const KINDS = {
  /** Debian 12 with sshd and sudo; neither Docker nor Node nor rsync. */
  bare: { image: 'moorage-test/remote-bare:bookworm', systemd: false, packages: 'openssh-server sudo' },
  /** With an engine that runs, Compose, Node and rsync. */
  ready: {
    image: 'moorage-test/remote-ready:bookworm',
    systemd: false,
    packages: 'openssh-server sudo rsync docker.io iptables',
  },
  /** The same under systemd. */
  systemd: {
    image: 'moorage-test/remote-systemd:bookworm',
    systemd: true,
    packages: 'openssh-server sudo rsync docker.io iptables',
  },
  /** Neither Docker nor Node nor rsync, and all of it to be had by dnf, as on a Rocky Linux 9.4 (red-hat.sh). */
  'red-hat': {
    image: `moorage-test/remote-red-hat:${createHash('sha256').update(readFileSync(RED_HAT)).digest('hex').slice(0, 12)}`,
    systemd: false,
    packages: 'restic podman crun dnf rpm createrepo-c gnupg openssl',
  },
} as const;

export type Kind = keyof typeof KINDS;

/** A machine of its own with a real sshd: whoever runs the tests may log in as root, and as `ada`, who has sudo. */
export class RemoteMachine {
  readonly machine: BareMachine;
  readonly address: string;
  /** Puts an `ssh` first that reads this machine's client configuration, as `~/.ssh/config` would be read. */
  readonly env: { readonly PATH: string };
  /** For `env`: the folder with `ssh_config`, `known_hosts` and the key `client`. */
  readonly folder: string;

  private constructor(machine: BareMachine, address: string, env: { PATH: string }, folder: string) {
    this.machine = machine;
    this.address = address;
    this.env = env;
    this.folder = folder;
  }

  /** As ssh_config calls it, too. */
  get login(): string {
    return `root@${this.address}`;
  }

  /** @param known machines that the same client is to reach as well: its key is let in here, and its `env` is shared */
  static async boot(
    kind: Kind,
    { network, like }: { network?: string; like?: RemoteMachine } = {},
  ): Promise<RemoteMachine> {
    await makeImage(kind);
    const { image, systemd } = KINDS[kind];
    const machine = await BareMachine.bootFrom(image, {
      systemd,
      ...(network === undefined ? {} : { network }),
    });
    const folder = like?.folder ?? (await makeClient());
    const key = await readFile(join(folder, 'client.pub'), 'utf8');
    for (const home of ['/root', '/home/ada'])
      await machine.succeed([
        'sh',
        '-c',
        `install -d -m 700 ${home}/.ssh && echo "$0" > ${home}/.ssh/authorized_keys && chown -R $(stat -c %u ${home}) ${home}/.ssh`,
        key.trim(),
      ]);
    if (!systemd) {
      await machine.succeed(['sh', '-c', 'mkdir -p /run/sshd && /usr/sbin/sshd']);
      if (kind === 'ready') await machine.startEngine();
    }
    const env = like?.env ?? (await makeShim(join(folder, 'bin'), 'ssh', `-F ${join(folder, 'ssh_config')}`));
    const remote = new RemoteMachine(machine, await machine.address(), env, folder);
    const up = await eventually(systemClock, { within: 20_000, every: 100 }, async () =>
      (await execa('ssh', ['-o', 'BatchMode=yes', remote.login, 'true'], { env, reject: false })).exitCode ===
      0
        ? true
        : undefined,
    );
    if (up === undefined) throw new Error('sshd does not start');
    return remote;
  }

  /** Past SSH: what is true there whatever the product says. */
  run(command: readonly string[], cwd = '/'): Promise<Ran> {
    return this.machine.run(command, cwd);
  }

  sh(script: string, cwd = '/'): Promise<Ran> {
    return this.machine.run(['sh', '-c', script], cwd);
  }

  /** Gives its engine the images of the engine that the tests use, so that nothing has to be built there. */
  async takeImages(...references: readonly string[]): Promise<void> {
    await this.machine.load(references);
  }

  /** Copies a file into a folder there. */
  async copyIn(file: string, to: string): Promise<void> {
    await this.machine.receive(['-C', dirname(file), '-c', basename(file)], to);
  }

  /** Copies the packages that a checkout uses, without those that only its tests do. */
  async copyPackages(modules: string, to: string): Promise<void> {
    const { stdout } = await execa('npm', ['ls', '--all', '--omit=dev', '--parseable'], {
      cwd: await realpath(join(modules, '..')),
      reject: false, // it finds fault with what is optional
    });
    const marker = '/node_modules/';
    const names = stdout.split('\n').filter((path) => path.includes(marker));
    const own = names.map((path) => path.slice(path.indexOf(marker) + 1)).sort();
    await this.machine.receive(['-C', dirname(modules), '--dereference', '-c', ...own], to);
    // What says that npm put them there, and that it was after the list of packages was made.
    await this.machine.succeed(['touch', join(to, 'node_modules/.package-lock.json')]);
  }

  async dispose(): Promise<void> {
    await this.machine.dispose();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function makeClient(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'moorage-ssh-'));
  const at = (name: string) => join(folder, name);
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'client', '-f', at('client')]);
  const client = [
    'Host *',
    `  IdentityFile ${at('client')}`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile ${at('known_hosts')}`,
    '  StrictHostKeyChecking accept-new',
    '',
  ];
  await writeFile(at('ssh_config'), client.join('\n'));
  return folder;
}

async function base(kind: Kind): Promise<BareMachine> {
  if (kind === 'systemd') return BareMachine.bootWithSystemd();
  if (kind !== 'red-hat') return BareMachine.boot();
  await makeImage('ready'); // has half of it
  return BareMachine.bootFrom(KINDS.ready.image, { systemd: false });
}

async function makeImage(kind: Kind): Promise<void> {
  const { image, packages } = KINDS[kind];
  if ((await execa('docker', ['image', 'inspect', image], { reject: false })).exitCode === 0) return;
  const machine = await base(kind);
  try {
    const steps = [
      'export DEBIAN_FRONTEND=noninteractive',
      'apt-get update -qq',
      `apt-get install -qq -y --no-install-recommends ${packages}`,
      'id ada || useradd -m -s /bin/sh ada',
      'echo "ada ALL=(ALL) NOPASSWD: ALL" > /etc/sudoers.d/ada',
      ...(kind === 'bare'
        ? ['rm -f /usr/bin/node /usr/bin/npm /usr/bin/npx', 'rm -rf /usr/lib/node_modules']
        : []),
    ];
    await machine.succeed(['sh', '-ec', steps.join('\n')]);
    if (kind !== 'bare') await machine.installCompose();
    if (kind === 'red-hat') await machine.succeed(['sh', '-c', readFileSync(RED_HAT, 'utf8')]);
    await machine.succeed(['sh', '-c', 'rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb']);
    await machine.save(image);
  } finally {
    await machine.dispose();
  }
}
