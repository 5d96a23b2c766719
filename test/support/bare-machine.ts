import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { eventually, systemClock } from '../../src/system/clock.ts';
import type { Ran } from './checkout.ts';

const IMAGE = 'moorage-test/bare:bookworm';
const IMAGE_WITH_SYSTEMD = 'moorage-test/systemd:bookworm';
/** Where git and Node 20 come from is the person's affair; everything else a bare Debian 12 lacks. */
const INCLUDED = 'ca-certificates,git,libstdc++6,libatomic1';
const SYS_RESOURCE = 1n << 24n;
const SYSTEM_CAS = '/etc/ssl/certs/ca-certificates.crt';

/** An engine's storage can't stand on an overlay, and its containers need control groups. */
const DISKS = [
  ...['--volume', '/var/lib/docker', '--volume', '/var/tmp'],
  ...['--cgroupns', 'host', '--volume', '/sys/fs/cgroup:/sys/fs/cgroup:rw'],
];

/**
 * A bare Debian 12: a privileged container with a network, a disk and a process table of its own. No Docker, and as a
 * rule no service manager. What runs in it can't touch the machine's own engine.
 */
export class BareMachine {
  readonly #name = `moorage-test-bare-${randomBytes(4).toString('hex')}`;

  static async boot(): Promise<BareMachine> {
    await makeImage();
    const machine = new BareMachine();
    await machine.#start(IMAGE, ['sleep', 'infinity']);
    return machine;
  }

  /** The same with systemd as its first process, up and done with its start. */
  static async bootWithSystemd(): Promise<BareMachine> {
    await makeImageWithSystemd();
    const machine = new BareMachine();
    const places = ['--tmpfs', '/run', '--tmpfs', '/run/lock', '--env', 'container=docker'];
    await machine.#start(IMAGE_WITH_SYSTEMD, ['/sbin/init'], places);
    const up = await eventually(systemClock, { within: 30_000, every: 100 }, async () =>
      (await machine.run(['systemctl', 'is-system-running', '--wait'])).stdout === 'running'
        ? true
        : undefined,
    );
    if (up !== true) throw new Error('systemd does not come up');
    return machine;
  }

  async #start(image: string, command: readonly string[], options: readonly string[] = []): Promise<void> {
    const all = ['--name', this.#name, ...(await powers()), ...DISKS, ...options];
    await execa('docker', ['run', '--detach', ...all, image, ...command]);
  }

  async run(command: readonly string[], cwd = '/'): Promise<Ran> {
    const result = await execa('docker', ['exec', '--workdir', cwd, this.#name, ...command], {
      reject: false,
    });
    return { exitCode: result.exitCode ?? -1, stdout: result.stdout, stderr: result.stderr };
  }

  /** Runs a command at a terminal made by script(1), and types an answer once the question is there. */
  async atTerminal(command: string, cwd: string, question: string, answer: string): Promise<Ran> {
    const script = ['script', '--quiet', '--return', '--flush', '--command', command, '/dev/null'];
    const child = execa('docker', ['exec', '-i', '--workdir', cwd, this.#name, ...script], { reject: false });
    let answered = false;
    let screen = '';
    child.stdout.on('data', (text) => {
      screen += text;
      if (answered || !screen.includes(question)) return;
      answered = true;
      child.stdin.write(answer);
    });
    const { exitCode } = await child;
    return { exitCode: exitCode ?? -1, stdout: screen, stderr: '' };
  }

  /** Runs a command until a line matches, then kills it and everything like it with SIGKILL. Whether the line came. */
  async runUntil(command: readonly string[], cwd: string, line: RegExp, killed: string): Promise<boolean> {
    const child = execa('docker', ['exec', '--workdir', cwd, this.#name, ...command], {
      reject: false,
      all: true,
    });
    for await (const text of child.iterable({ from: 'all' })) {
      if (!line.test(text)) continue;
      const each =
        'cd /proc; for p in [1-9]*; do [ $p = $$ ] || ! grep -qs "$0" $p/cmdline || kill -9 $p; done';
      await this.run(['sh', '-c', each, killed]);
      await child;
      return true;
    }
    return false;
  }

  /** A fresh clone of what a checkout of the tests holds. */
  async clone(checkout: string, to: string): Promise<void> {
    await this.run(['mkdir', '-p', to]);
    const tar = execa('tar', ['-C', checkout, '--exclude=./node_modules', '-c', '.'], { encoding: 'buffer' });
    await execa('docker', ['cp', '-', `${this.#name}:${to}`], { input: (await tar).stdout });
  }

  /** Makes an image of it as it is now. */
  async save(image: string): Promise<void> {
    await execa('docker', ['commit', this.#name, image]);
  }

  async dispose(): Promise<void> {
    await execa('docker', ['rm', '--force', '--volumes', this.#name]);
  }
}

/** What `--privileged` gives, less the one capability that this machine may lack itself (capabilities(7)). */
async function powers(): Promise<string[]> {
  const status = await readFile('/proc/self/status', 'utf8');
  const bounding = BigInt(`0x${/^CapBnd:\s*(\w+)$/m.exec(status)?.[1] ?? '0'}`);
  if ((bounding & SYS_RESOURCE) !== 0n) return ['--privileged'];
  const unconfined = ['seccomp=unconfined', 'apparmor=unconfined', 'systempaths=unconfined'];
  return [
    ...['--cap-add', 'ALL', '--cap-drop', 'SYS_RESOURCE', '--device-cgroup-rule', 'a *:* rwm'],
    ...unconfined.flatMap((option) => ['--security-opt', option]),
  ];
}

async function makeImage(): Promise<void> {
  const present = await execa('docker', ['image', 'inspect', IMAGE], { reject: false });
  if (present.exitCode === 0) return;
  const root = await mkdtemp(join(tmpdir(), 'moorage-bare-'));
  try {
    await execa('debootstrap', ['--variant=minbase', `--include=${INCLUDED}`, 'bookworm', root]);
    await execa('cp', [await realpath(process.execPath), join(root, 'usr/bin/node')]);
    await copyNpm(root);
    await execa('cp', [SYSTEM_CAS, join(root, SYSTEM_CAS)]);
    const tar = execa('tar', ['-C', root, '-c', '.'], { buffer: false });
    const environment = ['--change', `ENV NODE_EXTRA_CA_CERTS=${SYSTEM_CAS}`];
    await execa('docker', ['import', ...environment, '-', IMAGE], { input: tar.stdout });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function makeImageWithSystemd(): Promise<void> {
  const present = await execa('docker', ['image', 'inspect', IMAGE_WITH_SYSTEMD], { reject: false });
  if (present.exitCode === 0) return;
  const machine = await BareMachine.boot();
  const install = 'apt-get update && apt-get install -y --no-install-recommends systemd-sysv';
  const { exitCode, stderr } = await machine.run([
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'sh',
    '-c',
    install,
  ]);
  if (exitCode !== 0) throw new Error(`systemd can't be installed:\n${stderr}`);
  await machine.save(IMAGE_WITH_SYSTEMD);
  await machine.dispose();
}

async function copyNpm(root: string): Promise<void> {
  const { stdout: modules } = await execa('npm', ['root', '--global']);
  const target = join(root, 'usr/lib/node_modules/npm');
  await execa('mkdir', ['-p', dirname(target)]);
  await execa('cp', ['-rL', join(modules.split('\n').at(-1) ?? '', 'npm'), target]);
  await execa('ln', ['-s', '../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/bin/npm')]);
  await execa('ln', ['-s', '../lib/node_modules/npm/bin/npx-cli.js', join(root, 'usr/bin/npx')]);
}
