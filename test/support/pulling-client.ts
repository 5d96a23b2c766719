import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { digestOf } from '../../src/registry/digest.ts';
import { MANIFEST_TYPE } from '../../src/registry/image.ts';

/** As docker does: so many blobs at once. */
const AT_ONCE = 3;

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

/** Pulls images as docker does, by one user, over connections that it keeps. */
export class PullingClient {
  readonly #port: number;
  readonly #login: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE, rejectUnauthorized: false });

  /** @param login `name:password` */
  constructor(port: number, login: string) {
    this.#port = port;
    this.#login = login;
  }

  /**
   * Manifest, config and layers, each of them verified by its digest. Answers how many blobs there were.
   * @throws when anything is refused, or is not what it should be
   */
  async pull(repository: string, tag: string): Promise<number> {
    await this.#get('/v2/');
    const manifest: Manifest = JSON.parse((await this.#get(`/v2/${repository}/manifests/${tag}`)).toString());
    const digests = [manifest.config, ...manifest.layers].map(({ digest }) => digest);
    await Promise.all(digests.map((digest) => this.#pullBlob(repository, digest)));
    return digests.length;
  }

  close(): void {
    this.#agent.destroy();
  }

  async #pullBlob(repository: string, digest: string): Promise<void> {
    const got = digestOf(await this.#get(`/v2/${repository}/blobs/${digest}`));
    if (got !== digest) throw new Error(`asked for ${digest}, got ${got}`);
  }

  async #get(path: string): Promise<Buffer> {
    const asked = request({
      host: '127.0.0.1',
      port: this.#port,
      path,
      auth: this.#login,
      agent: this.#agent,
      headers: { accept: MANIFEST_TYPE },
    }).end();
    const [answer] = await once(asked, 'response');
    const body = await buffer(answer);
    if (answer.statusCode === 200) return body;
    throw new Error(`GET ${path} was answered with ${answer.statusCode}: ${body.toString().slice(0, 200)}`);
  }
}
