import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse } from 'dotenv';
import { execa } from 'execa';
import { systemClock } from '../../src/system/clock.ts';
import { Checkout, type Ran } from './checkout.ts';
import { ANY_MANIFEST, RegistryCalls } from './registry-calls.ts';
import { RemoteMachine } from './remote-machine.ts';
import { engineAddress } from './s3.ts';

export const NAME = 'moving.test';
/** Milliseconds. */
const PUSH_EVERY = 250;
const ROLES = [
  'BUILT_REGISTRY_IMAGE',
  'BUILT_NGINX_IMAGE',
  'BUILT_NODE_IMAGE',
  'GATE_IMAGE',
  'RENEWER_IMAGE',
];

const ASK = `
const { at, questions } = JSON.parse(process.argv[1]);
const ask = (question) => new Promise((resolve, reject) => {
  const [method, path] = question.split(' ');
  const asked = require('node:https').request({ ...at, method, path });
  asked.once('error', reject).once('response', ({ statusCode, headers }) =>
    resolve([question, (statusCode + ' ' + (headers['docker-content-digest'] ?? '')).trim()])).end();
});
Promise.all(questions.map(ask)).then((all) => {
  console.log(JSON.stringify(Object.fromEntries(all)));
  process.exit();
});
`;

/** A registry here, and a machine that it can move to. Its name leads here, there too, until it is handed over. */
export class MovingRegistry {
  readonly old: Checkout;
  readonly fresh: RemoteMachine;
  readonly calls: RegistryCalls;
  readonly login: string;
  /** hosts(5) as commands here see it. */
  readonly #hosts: string;

  private constructor(old: Checkout, fresh: RemoteMachine, login: string, hosts: string) {
    this.old = old;
    this.fresh = fresh;
    this.calls = new RegistryCalls(old, NAME);
    this.login = login;
    this.#hosts = hosts;
  }

  static async open(settings: Readonly<Record<string, string>> = {}): Promise<MovingRegistry> {
    const old = await Checkout.make({ DOMAIN: NAME, BIND_ADDRESS: '', ...settings });
    const fresh = await RemoteMachine.boot('ready');
    const { firstUser } = await old.init();
    const env = parse(await readFile(join(old.root, '.env'), 'utf8'));
    await fresh.takeImages(...ROLES.flatMap((role) => env[role] ?? []), 'moorage/base:trixie');
    const hosts = join(dirname(old.root), 'hosts');
    const moving = new MovingRegistry(old, fresh, `${firstUser?.name}:${firstUser?.password}`, hosts);
    await moving.lead(await engineAddress());
    return moving;
  }

  /** Has the name lead to an address, on both machines. */
  async lead(address: string): Promise<void> {
    const own = (await readFile('/etc/hosts', 'utf8')).trimEnd();
    await writeFile(this.#hosts, `${own}\n${address} ${NAME}\n`);
    const line = `${address} ${NAME}`;
    await this.fresh.sh(
      `grep -v ' ${NAME}$' /etc/hosts > /tmp/hosts; echo '${line}' >> /tmp/hosts; cat /tmp/hosts > /etc/hosts`,
    );
  }

  moveTo(...args: readonly string[]): Promise<Ran> {
    return this.old.run('unshare', this.#seeing('npm', 'run', '--silent', 'move-to', '--', ...args), {
      env: this.fresh.env,
    });
  }

  /** For unshare(1): a command with a view of /etc/hosts of its own. */
  #seeing(...command: readonly string[]): string[] {
    return ['--mount', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', this.#hosts, ...command];
  }

  /** Kills it and all that it started once it tells that a step is done. Whether it came to that. */
  async moveUntil(step: string, ...args: readonly string[]): Promise<boolean> {
    const child = execa('unshare', this.#seeing('npm', 'run', '--silent', 'move-to', '--', ...args), {
      cwd: this.old.root,
      env: { ...this.old.env, ...this.fresh.env },
      stdin: 'ignore',
      reject: false,
      all: true,
      detached: true,
    });
    for await (const text of child.iterable({ from: 'all' })) {
      if (!new RegExp(`^ *[✓=] ${step}`).test(text) || child.pid === undefined) continue;
      process.kill(-child.pid, 'SIGKILL');
      await child;
      return true;
    }
    return false;
  }

  /** Kills all there whose command line has that word in it. */
  async killThere(word: string): Promise<void> {
    const each =
      'cd /proc; for p in [1-9]*; do [ $p = $$ ] || ! grep -qs "$0" $p/cmdline || kill -9 $p; done';
    await this.fresh.run(['sh', '-c', each, word]);
  }

  /** Pushes one image after another, each under a tag of its own, until it is told to stop; those that were answered with 201. */
  keepPushing(): { stop: () => Promise<ReadonlyMap<string, string>> } {
    const pushed = new Map<string, string>();
    const push = async (): Promise<void> => {
      const tag = randomBytes(4).toString('hex');
      const answer = await this.calls.pushImage('team/pushed', tag, this.login).catch(() => undefined);
      if (answer?.status === 201) pushed.set(tag, answer.digest);
      await systemClock.sleep(PUSH_EVERY); // the others have to get on, too
    };
    return { stop: repeatedly(push, pushed) };
  }

  /** Pulls a manifest and its config again and again; what failed. */
  keepPulling(repository: string, tag: string): { stop: () => Promise<readonly string[]> } {
    const failed: string[] = [];
    const pull = async (): Promise<void> => {
      const manifest = await this.calls.manifest(repository, tag, this.login);
      if (manifest.status !== 200) return void failed.push(`${manifest.status} ${manifest.text}`);
      const { config }: { config: { digest: string } } = JSON.parse(manifest.text);
      const blob = await this.calls.ask('GET', `/v2/${repository}/blobs/${config.digest}`, {
        as: this.login,
      });
      if (blob.status !== 200) failed.push(`${blob.status} ${blob.text}`);
    };
    const noting = () => pull().catch((error) => void failed.push(String(error)));
    return { stop: repeatedly(noting, failed) };
  }

  /** Asks the new one, on its own machine; statuses and digests by `METHOD PATH`. */
  async askFresh(...questions: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const port = Number(this.old.env.HTTPS_PORT);
    const authorization = `Basic ${Buffer.from(this.login).toString('base64')}`;
    const headers = { host: `${NAME}:${port}`, authorization, accept: ANY_MANIFEST };
    const at = { host: '127.0.0.1', port, servername: NAME, rejectUnauthorized: false, headers };
    const { stdout } = await this.fresh.run(['node', '-e', ASK, JSON.stringify({ at, questions })]);
    return JSON.parse(stdout);
  }

  async dispose(): Promise<void> {
    await Promise.all([this.old?.dispose(), this.fresh?.dispose()]);
  }
}

function repeatedly<T>(work: () => Promise<void>, result: T): () => Promise<T> {
  let going = true;
  const loop = async () => {
    while (going) await work();
  };
  const done = loop();
  return async () => {
    going = false;
    await done;
    return result;
  };
}
