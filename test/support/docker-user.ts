import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { openApp } from '../../src/app/app.ts';
import { connect } from '../../src/engine/connect.ts';
import { makeImage } from '../../src/registry/image.ts';
import type { Ran } from './checkout.ts';
import type { GuardedStack } from './guarded-stack.ts';

/** A registry, and who has a login there. */
export type Place = Pick<GuardedStack, 'authority' | 'checkout' | 'login' | 'password'>;

/** Somebody with Docker's own client, whose logins are in a folder of their own. */
export class DockerUser {
  readonly #stack: Place;
  readonly #config: string;

  private constructor(stack: Place, config: string) {
    this.#stack = stack;
    this.#config = config;
  }

  static async make(stack: Place): Promise<DockerUser> {
    return new DockerUser(stack, await mkdtemp(join(tmpdir(), 'docker-config-')));
  }

  static async loggedIn(stack: Place, name: string): Promise<DockerUser> {
    const user = await DockerUser.make(stack);
    const { exitCode, stderr } = await user.login(name, stack.password(name));
    if (exitCode !== 0) throw new Error(stderr);
    return user;
  }

  login(name: string, password: string): Promise<Ran> {
    return this.#docker(['login', '-u', name, '--password-stdin', this.#stack.authority], password);
  }

  logout(): Promise<Ran> {
    return this.#docker(['logout', this.#stack.authority]);
  }

  push(name: string): Promise<Ran> {
    return this.#docker(['push', `${this.#stack.authority}/${name}`]);
  }

  pull(name: string): Promise<Ran> {
    return this.#docker(['pull', `${this.#stack.authority}/${name}`]);
  }

  dispose(): Promise<void> {
    return rm(this.#config, { recursive: true, force: true });
  }

  #docker(args: readonly string[], input?: string): Promise<Ran> {
    const options = input === undefined ? {} : { input };
    return this.#stack.checkout.run('docker', ['--config', this.#config, ...args], options);
  }
}

/** Images in the engine that are named for a stack's registry, and that go with it. */
export class EngineImages {
  readonly #engine = connect(openApp().environment.DOCKER_HOST);
  readonly #authority: string;
  readonly #names = new Set<string>();

  constructor({ authority }: Pick<Place, 'authority'>) {
    this.#authority = authority;
  }

  /** An image from scratch; the same `text` is the same image. */
  async make(text: string, name: string): Promise<void> {
    const image = await makeImage(`${this.#authority}: ${text}`);
    // An image that only loses its name stays, known by its digest.
    if (this.#names.has(name)) await this.forget(name);
    await this.load(name, await image.archive(`${this.#authority}/${name}`));
  }

  /** @param archive as `docker load` takes it, with this name in it */
  async load(name: string, archive: Readable): Promise<void> {
    this.expect(name);
    await this.#engine.images.load(archive);
  }

  /** It will be pulled. */
  expect(name: string): void {
    this.#names.add(name);
  }

  /** Digest of the config. */
  async idOf(name: string): Promise<string | undefined> {
    return (await this.#engine.images.inspect(`${this.#authority}/${name}`))?.id;
  }

  async forget(name: string): Promise<void> {
    await this.#engine.images.remove(`${this.#authority}/${name}`);
  }

  async dispose(): Promise<void> {
    for (const name of this.#names) await this.forget(name).catch(() => undefined);
  }
}
