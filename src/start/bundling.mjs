// What scripts/start.mjs and scripts/bundle.mjs have in common.
import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How a program and the packages it uses are put together, for an image or a command (esbuild's options). */
export const BUNDLED = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  logLevel: 'warning',
  preserveSymlinks: true, // the bundle names its files: the same wherever node_modules leads to
  external: ['cpu-features', '*.node'], // optional native speed-ups of an SSH transport that nobody uses
};

/** CommonJS packages in a bundle still expect these. */
export const FOR_COMMONJS = [
  "import { createRequire as requireFrom$ } from 'node:module';",
  'const require = requireFrom$(import.meta.url);',
  'const __dirname = import.meta.dirname;',
].join(' ');

/**
 * Commands that are put together, with what they share in files of its own.
 * @typedef {object} Group
 * @property {string} name
 * @property {readonly string[]} commands names in scripts, without `.ts`
 */

/** @param {string} root the checkout */
export const placeOf = (root) => join(root, 'node_modules/.cache/moorage');

/** A file with the paths, below the checkout, of all that the group was last made of. */
export const listOf = (root, group) => join(placeOf(root), `${group.name}.json`);

/** The folder of a group that was made of the same parts, by whichever checkout; `undefined` when there is none. */
export function findBundle(root, group) {
  try {
    const folder = folderOf(root, group, JSON.parse(readFileSync(listOf(root, group), 'utf8')));
    accessSync(folder, constants.X_OK);
    return folder;
  } catch {
    return undefined;
  }
}

/** Where a group belongs that is made of these parts as they are now. */
export function folderOf(root, group, parts) {
  const hash = createHash('sha256').update(group.commands.join());
  for (const part of parts) hash.update(`\0${part}\0`).update(readFileSync(join(root, part)));
  return join(placeOf(root), `${group.name}-${hash.digest('hex').slice(0, 16)}`);
}
