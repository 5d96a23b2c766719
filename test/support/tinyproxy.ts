import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { freePorts } from './free-ports.ts';

/** Debian's tinyproxy: a forward proxy that wants a login, and writes down where it was asked to go. */
export class Tinyproxy {
  readonly #process: { kill: () => boolean };
  readonly #folder: string;
  readonly url: string;
  /** Without the login. */
  readonly shown: string;

  private constructor(process: { kill: () => boolean }, folder: string, address: string) {
    this.#process = process;
    this.#folder = folder;
    this.url = `http://me:s%65cret@${address}`; // %65 is an e: decoded by whoever uses it
    this.shown = `http://${address}`;
  }

  /** @param listen an address of this machine */
  static async start(listen: string): Promise<Tinyproxy> {
    const folder = await mkdtemp(join(tmpdir(), 'moorage-tinyproxy-'));
    const [port] = await freePorts(1);
    const lines = [
      `Port ${port}`,
      `Listen ${listen}`,
      'Timeout 600',
      'MaxClients 100',
      'BasicAuth me secret',
      `LogFile "${join(folder, 'log')}"`,
      'LogLevel Connect',
    ];
    await writeFile(join(folder, 'conf'), `${lines.join('\n')}\n`);
    const process = execa('tinyproxy', ['-d', '-c', join(folder, 'conf')], { reject: false });
    return new Tinyproxy(process, folder, `${listen}:${port}`);
  }

  /** Hosts that somebody with the login was let through to. */
  async asked(): Promise<string> {
    const log = await readFile(join(this.#folder, 'log'), 'utf8').catch(() => '');
    return log
      .split('\n')
      .filter((line) => /Established connection to host|Request .*: (CONNECT|GET|HEAD)/.test(line))
      .join('\n');
  }

  async stop(): Promise<void> {
    this.#process.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
