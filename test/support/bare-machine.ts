import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { execa } from 'execa';
import { paths } from '../../src/paths.ts';
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
    return BareMachine.bootFrom(IMAGE_WITH_SYSTEMD, { systemd: true });
  }

  /** One of an image that `save` made. */
  static async bootFrom(
    image: string,
    { systemd, network }: { readonly systemd: boolean; readonly network?: string },
  ): Promise<BareMachine> {
    const machine = new BareMachine();
    const joined = network === undefined ? [] : ['--network', network];
    if (!systemd) {
      await machine.#start(image, ['sleep', 'infinity'], joined);
      return machine;
    }
    const places = ['--tmpfs', '/run', '--tmpfs', '/run/lock', '--env', 'container=docker'];
    await machine.#start(image, ['/sbin/init'], [...places, ...joined]);
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

  /** Runs what has to succeed. */
  async succeed(command: readonly string[]): Promise<void> {
    const { exitCode, stdout, stderr } = await this.run(command);
    if (exitCode !== 0) throw new Error(`${command.join(' ')} ended with ${exitCode}:\n${stdout}\n${stderr}`);
  }

  /** On the engine's own bridge or the network it was given: this machine reaches it there. */
  async address(): Promise<string> {
    const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
    return (await execa('docker', ['inspect', '--format', format, this.#name])).stdout.trim();
  }

  /** Starts the engine that is installed in it, and waits until it answers. */
  async startEngine(): Promise<void> {
    await this.succeed(['sh', '-c', 'setsid dockerd >/var/log/dockerd.log 2>&1 </dev/null &']);
    const up = await eventually(systemClock, { within: 60_000, every: 100 }, async () =>
      (await this.run(['docker', 'version'])).exitCode === 0 ? true : undefined,
    );
    if (up === undefined)
      throw new Error(`dockerd does not start:\n${(await this.run(['cat', '/var/log/dockerd.log'])).stdout}`);
  }

  /** The Compose that the tests use themselves. */
  async installCompose(): Promise<void> {
    const { stdout } = await execa('docker', ['info', '--format', '{{json .ClientInfo.Plugins}}']);
    const plugins: readonly { Name: string; Path: string }[] = JSON.parse(stdout);
    const path = plugins.find(({ Name }) => Name === 'compose')?.Path ?? '';
    const folder = '/usr/local/lib/docker/cli-plugins';
    await this.succeed(['mkdir', '-p', folder]);
    await execa('docker', ['cp', '--follow-link', path, `${this.#name}:${folder}/docker-compose`]);
  }

  /** Copies images of the engine that the tests use into its own. */
  async load(references: readonly string[]): Promise<void> {
    const saved = execa('docker', ['save', ...references], { buffer: false });
    await execa('docker', ['exec', '-i', this.#name, 'docker', 'load'], { input: saved.stdout });
    await saved;
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

  /** Unpacks there what a tar makes. */
  async receive(tar: readonly string[], to: string): Promise<void> {
    const packed = execa('tar', tar, { buffer: false });
    await execa('docker', ['exec', '-i', this.#name, 'tar', '-C', to, '-x'], { input: packed.stdout });
    await packed;
  }

  /** The packages that the product needs, as `npm ci --omit=dev` would install them there. */
  async takePackages(to: string): Promise<void> {
    const { root } = paths();
    const listed = await execa('npm', ['ls', '--all', '--omit=dev', '--parseable'], { cwd: root });
    const folders = listed.stdout.split('\n').filter((each) => each.startsWith(`${root}/node_modules/`));
    const names = folders.map((each) => relative(root, each));
    const tops = names.filter((name) => !names.some((other) => name.startsWith(`${other}/`)));
    const tar = execa('tar', ['-C', root, '-c', ...tops], { buffer: false });
    await execa('docker', ['exec', '-i', this.#name, 'tar', '-C', to, '-x'], { input: tar.stdout });
    await tar;
    await this.succeed(['touch', `${to}/node_modules/.package-lock.json`]);
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
