// Starts a command: `node scripts/start.mjs NAME [ARGUMENT …]` for scripts/NAME.ts. What commands are made of, packages and
// all, is put together in few files first, and kept until a part changes: a thousand modules take Node twice as long and more.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findBundle } from '../src/start/bundling.mjs';

/** Made of the tests' parts as well, and of packages that users don't have: each is put together alone. */
const FOR_DEVELOPERS = ['bench', 'test'];

const root = fileURLToPath(new URL('..', import.meta.url));
const [name = ''] = process.argv.splice(2, 1);
const scripts = readdirSync(join(root, 'scripts')).filter((file) => file.endsWith('.ts'));
const commands = scripts.map((file) => file.slice(0, -'.ts'.length));
if (!commands.includes(name)) {
  process.stderr.write(`There is no command ${JSON.stringify(name)}: npm run lists them.\n`);
  process.exit(2);
}
process.argv[1] = join(root, 'scripts', `${name}.ts`);
process.setSourceMapsEnabled(true);

const group = FOR_DEVELOPERS.includes(name)
  ? { name, commands: [name] }
  : { name: 'commands', commands: commands.filter((each) => !FOR_DEVELOPERS.includes(each)) };
const folder = findBundle(root, group) ?? (await makeBundle());
await import(pathToFileURL(join(folder, `${name}.mjs`)).href);

/** Apart, as esbuild takes its time to load. */
async function makeBundle() {
  const made = await import('../src/start/make-bundle.mjs');
  return made.makeBundle(root, group);
}
