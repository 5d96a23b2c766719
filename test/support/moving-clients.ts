import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../../src/registry/digest.ts';
import type { Ran } from './checkout.ts';
import { DockerUser, EngineImages } from './docker-user.ts';
import type { GuardedStack } from './guarded-stack.ts';
import { dockerArchive, makeLayeredImage, type Size, writeOci } from './layered-image.ts';

const PROGRAMS = ['docker', 'skopeo'] as const;
/** skopeo waits 2^n seconds before the n-th of them; docker has five tries of its own for each layer. */
const RETRIES = '6';

export interface Plan {
  /** How many of each: docker pushes, skopeo pushes, docker pulls, skopeo pulls. */
  readonly ofEach: number;
  readonly pushed: Size;
  readonly pulled: Size;
}

export interface Client {
  /** `docker push team/…` and the like. */
  readonly title: string;
  readonly repository: string;
  /** Digest of the config of the image that it moves. */
  readonly config: string;
  readonly move: () => Promise<Ran>;
}

/** Real clients with an image each, half of which are to be pushed, the others to be pulled. */
export class MovingClients {
  readonly pushers: Client[] = [];
  readonly pullers: Client[] = [];
  readonly #stack: GuardedStack;
  readonly #folder: string;
  readonly #docker: DockerUser;
  readonly #images: EngineImages;

  private constructor(stack: GuardedStack, docker: DockerUser) {
    this.#stack = stack;
    this.#folder = join(stack.checkout.root, 'var/clients');
    this.#docker = docker;
    this.#images = new EngineImages(stack);
  }

  static async make(stack: GuardedStack, plan: Plan): Promise<MovingClients> {
    const clients = new MovingClients(stack, await DockerUser.loggedIn(stack, 'admin'));
    for (let number = 0; number < plan.ofEach; number += 1)
      for (const program of PROGRAMS) {
        await clients.#addPusher(program, `team/${program}-pushed-${number}`, plan.pushed);
        await clients.#addPuller(program, `team/${program}-pulled-${number}`, plan.pulled);
      }
    return clients;
  }

  /** Whether some bytes of a push and some of a pull are on their way. */
  async inFlight(): Promise<boolean> {
    return (await this.#pushing()) && (await this.#pulling());
  }

  async dispose(): Promise<void> {
    await this.#docker.dispose();
    await this.#images.dispose();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #addPusher(program: (typeof PROGRAMS)[number], repository: string, size: Size): Promise<void> {
    const image = await makeLayeredImage(size);
    const oci = join(this.#folder, repository);
    const name = `${repository}:1`;
    if (program === 'skopeo') await writeOci(oci, image, 'tar');
    else
      await this.#images.load(name, await dockerArchive(image, `${this.#stack.authority}/${name}`));
    const move = () =>
      program === 'docker' ? this.#docker.push(name) : this.#skopeo(`oci:${oci}`, this.#at(name));
    const config = digestOf(image.config);
    this.pushers.push({ title: `${program} push ${name}`, repository, config, move });
  }

  async #addPuller(program: (typeof PROGRAMS)[number], repository: string, size: Size): Promise<void> {
    const image = await makeLayeredImage(size);
    const oci = join(this.#folder, 'origin');
    const name = `${repository}:1`;
    await writeOci(oci, image, 'gzip');
    const pushed = await this.#skopeo(`oci:${oci}`, this.#at(name));
    if (pushed.exitCode !== 0) throw new Error(pushed.stderr);
    await rm(oci, { recursive: true });
    const config = digestOf(image.config);
    const move = () => (program === 'docker' ? this.#dockerPull(name, config) : this.#skopeoPull(name, config));
    this.pullers.push({ title: `${program} pull ${name}`, repository, config, move });
  }

  async #dockerPull(name: string, config: string): Promise<Ran> {
    this.#images.expect(name);
    const ran = await this.#docker.pull(name);
    if (ran.exitCode !== 0) return ran;
    const got = await this.#images.idOf(name);
    return got === config ? ran : { ...ran, exitCode: -1, stderr: `pulled ${got} instead of ${config}` };
  }

  async #skopeoPull(name: string, config: string): Promise<Ran> {
    const folder = join(this.#folder, 'got', name);
    await mkdir(folder, { recursive: true });
    const ran = await this.#skopeo(this.#at(name), `dir:${folder}`);
    if (ran.exitCode !== 0) return ran;
    const got = digestOf(await readFile(join(folder, config.slice('sha256:'.length))));
    return got === config ? ran : { ...ran, exitCode: -1, stderr: `pulled ${got} instead of ${config}` };
  }

  #skopeo(from: string, to: string): Promise<Ran> {
    const side = from.startsWith('docker:') ? 'src' : 'dest';
    const login = [`--${side}-tls-verify=false`, `--${side}-creds`, this.#stack.login('admin')];
    const how = ['--insecure-policy', 'copy', '--quiet', '--retry-times', RETRIES];
    return this.#stack.checkout.run('skopeo', [...how, ...login, from, to]);
  }

  #at(name: string): string {
    return `docker://${this.#stack.authority}/${name}`;
  }

  async #pushing(): Promise<boolean> {
    const root = join(this.#stack.checkout.root, 'registry/data/docker/registry/v2/repositories');
    return someFile(root, (path) => /_uploads\/[^/]+\/data$/.test(path));
  }

  /** skopeo's layers have their names only when they are whole. */
  #pulling(): Promise<boolean> {
    return someFile(join(this.#folder, 'got'), (path) => path.includes('dir-put-blob'));
  }
}

async function someFile(folder: string, isMeant: (path: string) => boolean): Promise<boolean> {
  const paths = await readdir(folder, { recursive: true }).catch(() => []);
  for (const path of paths.filter(isMeant)) {
    const size = await stat(join(folder, path)).then((file) => file.size, () => 0);
    if (size > 0) return true;
  }
  return false;
}
