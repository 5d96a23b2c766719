import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { paths } from '../../src/paths.ts';
import { listen } from './listening.ts';

const ROOT = paths().root;

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A copy of this checkout in a folder with a space in its path, with a project name and ports of its own. */
export class Checkout {
  readonly root: string;
  readonly env: Record<string, string>;

  private constructor(root: string, env: Record<string, string>) {
    this.root = root;
    this.env = env;
  }

  static async make(env: Record<string, string> = {}): Promise<Checkout> {
    const root = join(await mkdtemp(join(tmpdir(), 'moorage-e2e-')), 'my registry');
    await copyTracked(root);
    return new Checkout(root, {
      COMPOSE_PROJECT_NAME: `moorage-test-${randomBytes(4).toString('hex')}`,
      BIND_ADDRESS: '127.0.0.1',
      HTTP_PORT: String(await freePort()),
      HTTPS_PORT: String(await freePort()),
      IMAGES: 'build',
      ...env,
    });
  }

  get project(): string {
    return this.env.COMPOSE_PROJECT_NAME ?? '';
  }

  get authority(): string {
    return `${this.env.DOMAIN ?? 'localhost'}:${this.env.HTTPS_PORT}`;
  }

  /** What `npm run NAME -- ARGS` runs, without a terminal, and without npm: that takes as long again each time. */
  async command(name: string, args: readonly string[] = [], options: RunIn = {}): Promise<Ran> {
    return this.run('node', startOf(name, ...args), options);
  }

  async compose(...args: readonly string[]): Promise<Ran> {
    return this.run('docker', ['compose', ...args]);
  }

  async run(program: string, args: readonly string[], { env, input }: RunIn = {}): Promise<Ran> {
    const result = await execa(program, args, {
      cwd: this.root,
      env: { ...this.env, ...env },
      reject: false,
      ...(input === undefined ? { stdin: 'ignore' } : { input }),
    });
    return { exitCode: result.exitCode ?? -1, stdout: result.stdout, stderr: result.stderr };
  }

  /** Runs init-tls to its end and returns what it reports. */
  async init(env: Record<string, string> = {}): Promise<InitResult> {
    Object.assign(this.env, env);
    const { exitCode, stdout, stderr } = await this.command('init-tls', ['--yes', '--json']);
    if (exitCode !== 0) throw new Error(`init-tls ended with ${exitCode}:\n${stderr}\n${stdout}`);
    return JSON.parse(stdout);
  }

  /** Compose's names of the networks that the project has. */
  async networks(): Promise<readonly string[]> {
    const filter = ['--filter', `label=com.docker.compose.project=${this.project}`];
    const format = ['--format', '{{.Label "com.docker.compose.network"}}'];
    const { stdout } = await this.run('docker', ['network', 'ls', ...filter, ...format]);
    return stdout.split('\n').filter(Boolean);
  }

  async dispose(): Promise<void> {
    await this.compose('down', '--volumes', '--timeout', '2');
    await rm(dirname(this.root), { recursive: true, force: true });
  }
}

/** What Node is given for `npm run NAME -- ARGS`, in a checkout. */
export function startOf(name: string, ...args: readonly string[]): string[] {
  return ['--import', './scripts/setup.mjs', 'scripts/start.mjs', name, ...args];
}

interface RunIn {
  readonly env?: Record<string, string>;
  readonly input?: string;
}

/** `name:password` of the user that a first init-tls makes. */
export function loginOf({ firstUser }: Pick<InitResult, 'firstUser'>): string {
  if (firstUser === undefined) throw new Error('init-tls made no user');
  return `${firstUser.name}:${firstUser.password}`;
}

export interface InitResult {
  readonly url: string;
  readonly changed: boolean;
  readonly firstUser?: { readonly name: string; readonly password: string };
  readonly certificate: {
    readonly fingerprint: string;
    readonly names: string[];
    readonly issuer: string;
    readonly issuerName: string;
  };
  readonly authority: string | null;
  readonly steps: readonly {
    readonly title: string;
    readonly summary: string;
    readonly changed: boolean;
    readonly seconds: number;
  }[];
}

export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return port;
}

/** What a clone would have, changes of the day included; packages are shared. */
async function copyTracked(root: string): Promise<void> {
  const { stdout } = await execa('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
  });
  await mkdir(root, { recursive: true });
  for (const file of stdout.split('\0').filter(Boolean)) {
    await cp(join(ROOT, file), join(root, file), { preserveTimestamps: true });
  }
  await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'));
}
