import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { BASE_IMAGE } from '../../src/images/catalog.ts';
import { paths } from '../../src/paths.ts';
import { ensureBaseImage } from './built-images.ts';

export const PEBBLE_IMAGE = 'moorage-test/pebble:2.10';

/** Builds the image; the engine's cache knows when there is nothing to do. Returns its id. */
export async function buildPebble(): Promise<string> {
  await ensureBaseImage();
  const context = join(paths().root, 'test/images/pebble');
  const base = ['--build-arg', `BASE=${BASE_IMAGE}`];
  const build = ['build', '-q', '--network', 'host', ...base, '-t', PEBBLE_IMAGE, context];
  return (await execa('docker', build)).stdout.trim();
}

/** A folder with the programs `pebble` and `pebble-challtestsrv`, copied out of the image once per test run. */
export function pebblePrograms(): Promise<string> {
  programs ??= copyPrograms();
  return programs;
}

let programs: Promise<string> | undefined;

async function copyPrograms(): Promise<string> {
  const id = (await buildPebble()).replace(/^sha256:/, '');
  const folder = join(tmpdir(), `pebble-${id.slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  const copy = await mkdtemp(`${folder}-`);
  const { stdout: container } = await execa('docker', ['create', id, 'pebble']);
  try {
    for (const program of ['pebble', 'pebble-challtestsrv']) {
      await execa('docker', ['cp', `${container}:/usr/bin/${program}`, copy]);
    }
  } finally {
    await execa('docker', ['rm', container]);
  }
  try {
    await rename(copy, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    await rm(copy, { recursive: true }); // another test file was quicker
  }
  return folder;
}
