import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../../src/registry/digest.ts';
import type { Ran } from './checkout.ts';
import { DockerUser, EngineImages, type Place } from './docker-user.ts';
import type { GuardedStack } from './guarded-stack.ts';
import { dockerArchive, makeLayeredImage, writeOci } from './layered-image.ts';
import { SlowLine } from './slow-line.ts';

const PROGRAMS = ['docker', 'skopeo'] as const;
type Program = (typeof PROGRAMS)[number];

const MiB = 1024 * 1024;
/** The large one is on its way for much longer than nginx may take to end (3 s). */
const LAYERS = [24 * MiB, MiB / 2, MiB / 4];
const LINE = 1.5 * MiB;
/** skopeo waits 2^n seconds before the n-th of them. Docker tries each layer five times, and nothing else. */
const RETRIES = '6';
/** The engine's own limit (max-concurrent-downloads). */
const PULLED_AT_ONCE = 3;

export interface Client {
  /** `docker push NAME` and the like. */
  readonly title: string;
  readonly repository: string;
  /** Digest of the config of the image that it moves. */
  readonly config: string;
  readonly move: () => Promise<Ran>;
}

/** Real clients with an image each, half of which are to be pushed, the others to be pulled, over a slow line. */
export class MovingClients {
  readonly all: Client[] = [];
  readonly #ofEach: number;
  readonly #line: SlowLine;
  readonly #near: Place;
  readonly #far: Place;
  readonly #folder: string;
  readonly #docker: DockerUser;
  readonly #images: EngineImages;

  private constructor(stack: GuardedStack, ofEach: number, line: SlowLine, near: Place, docker: DockerUser) {
    this.#ofEach = ofEach;
    this.#line = line;
    this.#near = near;
    this.#far = stack;
    this.#folder = join(stack.checkout.root, 'var/clients');
    this.#docker = docker;
    this.#images = new EngineImages(near);
  }

  /**
   * @param name of their repositories, so that none has what another one moved
   * @param ofEach how many docker pushes, skopeo pushes, docker pulls, skopeo pulls
   */
  static async make(stack: GuardedStack, name: string, ofEach: number): Promise<MovingClients> {
    const line = await SlowLine.open(Number(stack.checkout.env.HTTPS_PORT), LINE);
    const near: Place = {
      authority: `localhost:${line.port}`,
      checkout: stack.checkout,
      login: (user) => stack.login(user),
      password: (user) => stack.password(user),
    };
    const docker = await DockerUser.loggedIn(near, 'admin');
    const clients = new MovingClients(stack, ofEach, line, near, docker);
    for (let number = 0; number < ofEach; number += 1)
      for (const program of PROGRAMS) {
        await clients.#addPusher(program, `${name}/${program}-pushed-${number}`);
        await clients.#addPuller(program, `${name}/${program}-pulled-${number}`);
      }
    return clients;
  }

  /** Whether each of them is in the middle of a layer; of docker's pulls, as many as the engine lets. */
  get inTheMiddle(): boolean {
    const { up, down } = this.#line.layers;
    return up >= 2 * this.#ofEach && down >= this.#ofEach + Math.min(this.#ofEach, PULLED_AT_ONCE);
  }

  async dispose(): Promise<void> {
    this.#line.close();
    await this.#docker.dispose();
    await this.#images.dispose();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #addPusher(program: Program, repository: string): Promise<void> {
    const image = await makeLayeredImage(LAYERS);
    const name = `${repository}:1`;
    const oci = join(this.#folder, repository);
    if (program === 'skopeo') await writeOci(oci, image);
    else await this.#images.load(name, await dockerArchive(image, `${this.#near.authority}/${name}`));
    const move = () =>
      program === 'docker' ? this.#docker.push(name) : this.#copy(`oci:${oci}`, at(this.#near, name));
    this.all.push({ title: `${program} push ${name}`, repository, config: digestOf(image.config), move });
  }

  async #addPuller(program: Program, repository: string): Promise<void> {
    const image = await makeLayeredImage(LAYERS);
    const name = `${repository}:1`;
    const oci = join(this.#folder, 'origin');
    await writeOci(oci, image);
    const pushed = await this.#copy(`oci:${oci}`, at(this.#far, name));
    if (pushed.exitCode !== 0) throw new Error(pushed.stderr);
    await rm(oci, { recursive: true });
    const config = digestOf(image.config);
    const pull = () => (program === 'docker' ? this.#dockerPull(name) : this.#skopeoPull(name, config));
    const move = async () => {
      const { ran, got } = await pull();
      if (ran.exitCode !== 0 || got === config) return ran;
      return { ...ran, exitCode: -1, stderr: `${name}: pulled ${got} instead of ${config}` };
    };
    this.all.push({ title: `${program} pull ${name}`, repository, config, move });
  }

  async #dockerPull(name: string): Promise<{ ran: Ran; got: string | undefined }> {
    this.#images.expect(name);
    const ran = await this.#docker.pull(name);
    return { ran, got: await this.#images.idOf(name) };
  }

  async #skopeoPull(name: string, config: string): Promise<{ ran: Ran; got: string | undefined }> {
    const folder = join(this.#folder, 'pulled', name);
    await mkdir(folder, { recursive: true });
    const ran = await this.#copy(at(this.#near, name), `dir:${folder}`);
    const bytes = await readFile(join(folder, config.slice('sha256:'.length))).catch(() => undefined);
    return { ran, got: bytes && digestOf(bytes) };
  }

  #copy(from: string, to: string): Promise<Ran> {
    const side = from.startsWith('docker:') ? 'src' : 'dest';
    const login = [`--${side}-tls-verify=false`, `--${side}-creds`, this.#far.login('admin')];
    const how = ['--insecure-policy', 'copy', '--quiet', '--retry-times', RETRIES];
    return this.#far.checkout.run('skopeo', [...how, ...login, from, to]);
  }
}

function at({ authority }: Place, name: string): string {
  return `docker://${authority}/${name}`;
}
