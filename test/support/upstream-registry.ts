import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { BUILT } from '../../src/images/catalog.ts';
import type { Image } from '../../src/registry/image.ts';
import { Secret } from '../../src/secret.ts';
import { eventually, systemClock } from '../../src/system/clock.ts';
import { hashPassword } from '../../src/users/password.ts';
import { ensureBuilt } from './built-images.ts';
import { freePort } from './checkout.ts';
import { writeLayout } from './oci-layout.ts';
import { makeTestCa } from './test-ca.ts';

const [USER, PASSWORD] = ['somebody', 'known-upstream'] as const;

/** Somebody else's registry, with TLS by a private CA and a password (Basic), which containers reach too. */
export class UpstreamRegistry {
  /** `host:port` */
  readonly authority: string;
  /** PEM file. */
  readonly trust: string;
  readonly username = USER;
  readonly password = PASSWORD;
  readonly #folder: string;
  readonly #container: string;

  private constructor(authority: string, folder: string, container: string) {
    this.authority = authority;
    this.#folder = folder;
    this.#container = container;
    this.trust = join(folder, 'ca/ca.pem');
  }

  /** @param folder for its keys, and for what it takes to push */
  static async start(folder: string): Promise<UpstreamRegistry> {
    await ensureBuilt('registry');
    const format = '{{(index .IPAM.Config 0).Gateway}}';
    const { stdout: host } = await execa('docker', ['network', 'inspect', 'bridge', '--format', format]);
    const ca = await makeTestCa(join(folder, 'ca'));
    await ca.issue(join(folder, 'tls'), [host]);
    await mkdir(join(folder, 'auth'), { recursive: true });
    await writeFile(join(folder, 'auth/users'), `${USER}:${await hashPassword(new Secret(PASSWORD), 4)}\n`);
    const config = [
      'version: 0.1',
      'storage: { filesystem: { rootdirectory: /var/lib/registry } }',
      'auth: { htpasswd: { realm: upstream, path: /set/auth/users } }',
      'http: { addr: "0.0.0.0:5000", secret: x, tls: { certificate: /set/tls/cert.pem, key: /set/tls/key.pem } }',
      '',
    ];
    await writeFile(join(folder, 'auth/config.yml'), config.join('\n'));
    const authority = `${host}:${await freePort()}`;
    const container = `moorage-test-upstream-${randomBytes(4).toString('hex')}`;
    const options = [
      '--volume',
      `${folder}:/set:ro`,
      '--publish',
      `${authority}:5000`,
      '--entrypoint',
      'registry',
    ];
    const serve = ['serve', '/set/auth/config.yml'];
    await execa('docker', ['run', '--detach', '--name', container, ...options, BUILT.registry, ...serve]);
    const upstream = new UpstreamRegistry(authority, folder, container);
    await upstream.#awaitAnswer();
    return upstream;
  }

  /** What makes a stack the mirror of it. */
  get settings(): Record<string, string> {
    return {
      MIRROR_OF: `https://${this.authority}`,
      MIRROR_USERNAME: USER,
      MIRROR_PASSWORD: PASSWORD,
      MIRROR_CA_BUNDLE: this.trust,
    };
  }

  async push(name: string, image: Image): Promise<void> {
    const layout = join(this.#folder, 'layouts', randomBytes(4).toString('hex'));
    await writeLayout(layout, [{ architecture: 'amd64', image }]);
    const login = ['--dest-creds', `${USER}:${PASSWORD}`, '--dest-cert-dir', await this.#certificates()];
    const to = `docker://${this.authority}/${name}`;
    await execa('skopeo', ['copy', '--quiet', '--all', ...login, `oci:${layout}`, to]);
  }

  /** How many requests it has been sent of which the log says this. */
  async served(text: string): Promise<number> {
    const { all = '' } = await execa('docker', ['logs', this.#container], { all: true });
    return all.split('\n').filter((line) => line.includes('response completed') && line.includes(text))
      .length;
  }

  async cutOff(): Promise<void> {
    await execa('docker', ['stop', '--time', '1', this.#container]);
  }

  async restore(): Promise<void> {
    await execa('docker', ['start', this.#container]);
    await this.#awaitAnswer();
  }

  async dispose(): Promise<void> {
    await execa('docker', ['rm', '--force', '--volumes', this.#container]);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #certificates(): Promise<string> {
    const folder = join(this.#folder, 'certs');
    await mkdir(folder, { recursive: true });
    await execa('cp', [this.trust, join(folder, 'ca.crt')]);
    return folder;
  }

  async #awaitAnswer(): Promise<void> {
    const ask = ['-sS', '--cacert', this.trust, '-u', `${USER}:${PASSWORD}`, `https://${this.authority}/v2/`];
    const answered = await eventually(systemClock, { within: 60_000, every: 100 }, async () => {
      const { stdout } = await execa('curl', ask, { reject: false });
      return stdout === '{}' ? true : undefined;
    });
    if (answered === undefined) throw new Error('the upstream registry does not answer');
  }
}
