import { randomBytes } from 'node:crypto';
import { execa } from 'execa';
import { BUILT } from '../../src/images/catalog.ts';
import type { ImageRole } from '../../src/settings/settings.ts';

const PREFIX = 'moorage-test-upgrade';
const ROLES = ['registry', 'nginx', 'node'] as const;
type Role = (typeof ROLES)[number];

/**
 * What an image does differently from the one that it is made from. `like-3`: what distribution 3 changed, as its release
 * notes and its source have it: another default path of the configuration, `redis` with `addrs`, no swift and oss drivers, and
 * spans that are sent somewhere unless OTEL_TRACES_EXPORTER says none. The program itself is Debian's 2.8.
 */
const KINDS: Readonly<Record<string, string>> = {
  broken: 'echo "no such registry" >&2; exit 1',
  empty: 'export REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/run/registry/empty; exec "$real" "$@"',
  'like-3': [
    'if [ "$1" = --version ]; then echo "registry github.com/distribution/distribution/v3 v3.0.0"; exit; fi',
    '[ "$1" = serve ] && [ -n "$2" ] || { echo "no /etc/distribution/config.yml"; exit 1; }',
    'grep -Eq "^ *(swift|oss|reporting|compatibility):" "$2" && { echo "unknown key in $2"; exit 1; }',
    '[ "$OTEL_TRACES_EXPORTER" = none ] || { echo "traces export: connection refused"; exit 1; }',
    'case "$REGISTRY_REDIS" in "" | *addrs:*) ;; *) echo "redis configuration required"; exit 1 ;; esac',
    'exec "$real" "$@"',
  ].join('\n'),
};

/** Images that a test may replace: made from those that all tests share, under names of their own. */
export class UpgradeImages {
  readonly #key = randomBytes(3).toString('hex');
  readonly #made = new Set<string>();

  static async make(): Promise<UpgradeImages> {
    const images = new UpgradeImages();
    for (const role of ROLES) {
      await execa('docker', ['tag', BUILT[role], images.#name(role)]);
      images.#made.add(images.#name(role));
    }
    return images;
  }

  /** Lines of `.env`. */
  settings(): Record<string, string> {
    return Object.fromEntries(ROLES.map((role) => [`${role.toUpperCase()}_IMAGE`, this.#name(role)]));
  }

  /** Has the names lead to other images, which differ by nothing but a label. */
  async renew(roles: readonly Role[]): Promise<void> {
    for (const role of roles) {
      const lines = [`FROM ${BUILT[role]}`, `LABEL moorage.test=${randomBytes(4).toString('hex')}`];
      await this.#build(this.#name(role), lines);
    }
  }

  /** An image that says that it is this version, and behaves in some way. */
  async like(role: ImageRole, version: string, kind: string): Promise<string> {
    const program = role === 'registry' ? '/usr/local/bin/registry' : '/usr/sbin/nginx';
    const script = ['#!/bin/sh', `real=${program}.real`, KINDS[kind] ?? ''].join('\n');
    const name = `${PREFIX}/${role}-${this.#key}:${version}-${kind}`;
    const encoded = Buffer.from(script).toString('base64');
    await this.#build(name, [
      `FROM ${role === 'registry' ? BUILT.registry : BUILT.nginx}`,
      `RUN mv ${program} ${program}.real && echo ${encoded} | base64 -d >${program} && chmod 755 ${program}`,
    ]);
    return name;
  }

  /** The names of images that are kept for a project to go back to. */
  async kept(project: string): Promise<readonly string[]> {
    const format = ['--format', '{{.Repository}}:{{.Tag}}'];
    const { stdout } = await execa('docker', ['image', 'ls', ...format, 'moorage/kept']);
    return stdout.split('\n').filter((name) => name.startsWith(`moorage/kept:${project}.`));
  }

  async dispose(project: string): Promise<void> {
    const names = [...this.#made, ...(await this.kept(project))];
    await execa('docker', ['image', 'rm', ...names], { reject: false });
  }

  #name(role: Role): string {
    return `${PREFIX}/${role}-${this.#key}:1`;
  }

  async #build(name: string, lines: readonly string[]): Promise<void> {
    await execa('docker', ['build', '-q', '-t', name, '-'], { input: lines.join('\n') });
    this.#made.add(name);
  }
}
