import { join } from 'node:path';
import { execa } from 'execa';
import { BASE_IMAGE, BUILT } from '../../../src/images/catalog.ts';
import { paths } from '../../../src/paths.ts';
import { ensureBaseImage, ensureBuilt } from '../../support/built-images.ts';

export const CADDY_IMAGE = 'moorage-test/caddy:trixie';
export const LOAD_IMAGE = 'moorage-test/load:trixie';

/** Builds all images, unless they are there. */
export async function buildImages(): Promise<void> {
  await ensureBuilt('registry');
  await ensureBuilt('nginx');
  await ensureBaseImage();
  for (const image of [CADDY_IMAGE, LOAD_IMAGE]) {
    const context = join(paths().root, 'test/images', /\/(.*):/.exec(image)?.[1] ?? '');
    const base = ['--build-arg', `BASE=${BASE_IMAGE}`];
    await execa('docker', ['build', '-q', '--network', 'host', ...base, '-t', image, context]);
  }
}

/** What is measured and what measures, with versions. */
export async function versions(): Promise<string> {
  const programs: readonly (readonly [string, string, string, ...string[]])[] = [
    ['distribution', BUILT.registry, 'registry', '--version'],
    ['nginx', BUILT.nginx, 'nginx', '-v'],
    ['Caddy', CADDY_IMAGE, 'caddy', 'version'],
    ['wrk', LOAD_IMAGE, 'wrk', '-v'],
    ['curl', LOAD_IMAGE, 'curl', '--version'],
    ['OpenSSL', LOAD_IMAGE, 'python3', '-c', 'import ssl; print(ssl.OPENSSL_VERSION)'],
  ];
  const each: string[] = [];
  for (const [name, image, program, ...args] of programs) {
    const run = ['run', '--rm', '--entrypoint', program, image, ...args];
    const { all } = await execa('docker', run, { all: true, reject: false }); // wrk -v ends with 1
    each.push(`${name} ${/\d+\.\d+[\w.+-]*/.exec(all)?.[0] ?? 'of unknown version'}`);
  }
  return each.join(', ');
}
