import { request } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { digestOf } from '../../src/registry/digest.ts';
import { MANIFEST_TYPE } from '../../src/registry/image.ts';
import type { GuardedStack } from './guarded-stack.ts';

/** What somebody sees who connects while nginx is replaced; whoever tries again is let in. */
const NOBODY_THERE = /ECONNREFUSED|ECONNRESET|EPIPE|socket hang up|socket disconnected/;

/**
 * Pulls one image again and again, each time over new connections. It tries a connection that nobody takes again, as docker
 * does for layers; an answer that is not 200 is a failure, and so is content that is not what its digest says.
 */
export class PersistentPuller {
  #going = true;
  #pulled = 0;
  readonly #failed: string[] = [];
  readonly #stack: GuardedStack;
  #done: Promise<void> = Promise.resolve();

  private constructor(stack: GuardedStack) {
    this.#stack = stack;
  }

  static start(stack: GuardedStack, repository: string, tag: string): PersistentPuller {
    const puller = new PersistentPuller(stack);
    puller.#done = puller.#loop(repository, tag);
    return puller;
  }

  async stop(): Promise<{ pulled: number; failed: readonly string[] }> {
    this.#going = false;
    await this.#done;
    return { pulled: this.#pulled, failed: this.#failed };
  }

  async #loop(repository: string, tag: string): Promise<void> {
    while (this.#going) {
      try {
        const manifest = await this.#get(`/v2/${repository}/manifests/${tag}`);
        const { config }: { config: { digest: string } } = JSON.parse(manifest.toString());
        const got = digestOf(await this.#get(`/v2/${repository}/blobs/${config.digest}`));
        if (got !== config.digest) throw new Error(`${config.digest} is ${got}`);
        this.#pulled += 1;
      } catch (error) {
        this.#failed.push(String(error));
      }
    }
  }

  async #get(path: string): Promise<Buffer> {
    for (;;) {
      try {
        return await this.#ask(path);
      } catch (error) {
        if (!NOBODY_THERE.test(String(error))) throw error;
      }
    }
  }

  #ask(path: string): Promise<Buffer> {
    const [host, port] = this.#stack.authority.split(':');
    const auth = this.#stack.login('admin');
    return new Promise((resolve, reject) => {
      const headers = { accept: MANIFEST_TYPE, connection: 'close' };
      const asked = request({ host, port, path, auth, headers, agent: false, rejectUnauthorized: false });
      asked.once('error', reject);
      asked.once('response', (answer) => {
        buffer(answer).then((body) => {
          if (answer.statusCode === 200) resolve(body);
          else reject(new Error(`GET ${path} was answered with ${answer.statusCode}: ${body}`));
        }, reject);
      });
      asked.end();
    });
  }
}
