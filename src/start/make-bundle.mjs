// Puts commands together, for scripts/start.mjs: apart, as esbuild takes its time to load.
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import { BUNDLED, FOR_COMMONJS, folderOf, listOf, placeOf } from './bundling.mjs';

const DAY = 86_400_000;
/** Beside our own sources: how they are put together, and what packages there are. */
const MADE_BY = ['src/start/bundling.mjs', 'src/start/make-bundle.mjs', 'node_modules/.package-lock.json'];

/**
 * The folder with a group's files. Where nothing can be kept, for lack of rights or of room, it is there for this process.
 * @param {string} root the checkout
 * @param {import('./bundling.mjs').Group} group
 */
export async function makeBundle(root, group) {
  const { outputFiles, metafile } = await build({
    ...BUNDLED,
    absWorkingDir: root,
    entryPoints: group.commands.map((name) => `scripts/${name}.ts`),
    outdir: placeOf(root),
    outExtension: { '.js': '.mjs' },
    splitting: true,
    sourcemap: 'linked',
    sourcesContent: false,
    write: false,
    metafile: true,
    banner: { js: FOR_COMMONJS },
    plugins: [{ name: 'addresses', setup: (building) => keepAddresses(root, building) }],
  });
  const own = Object.keys(metafile.inputs).filter((path) => !path.startsWith('node_modules/'));
  const refusals = [];
  for (const place of [
    () => keep(root, group, outputFiles, [...own, ...MADE_BY].sort()),
    () => lend(outputFiles, tmpdir()),
    () => lend(outputFiles, '/dev/shm'),
  ]) {
    try {
      return place();
    } catch (error) {
      refusals.push(error);
    }
  }
  throw new AggregateError(refusals, 'There is no place for the program.');
}

/** `import.meta.url` of a source is that of the source, in the checkout of the script that start.mjs names in argv. */
function keepAddresses(root, building) {
  building.onLoad({ filter: /\.ts$/ }, ({ path }) => {
    if (path.startsWith(join(root, 'node_modules'))) return undefined;
    const text = fs.readFileSync(path, 'utf8');
    if (!text.includes('import.meta.url')) return undefined;
    const begin =
      "import { pathToFileURL as urlOf$ } from 'node:url'; const scripts$ = urlOf$(process.argv[1]);";
    const address = `new URL(${JSON.stringify(relative(join(root, 'scripts'), path))}, scripts$).href`;
    return { contents: `${begin} ${text.replaceAll('import.meta.url', address)}`, loader: 'ts' };
  });
}

/** Each in one step, and the list last, as it is what leads to them. Whoever owns the packages can take them away. */
function keep(root, group, files, parts) {
  const place = placeOf(root);
  const folder = folderOf(root, group, parts);
  const owner = fs.statSync(dirname(dirname(place)));
  if (fs.mkdirSync(place, { recursive: true }) !== undefined) give([dirname(place), place], owner, 0o755);
  clearAway(place);

  const fresh = fs.mkdtempSync(join(place, 'new-'));
  const [made, list] = [join(fresh, 'made'), join(fresh, 'list')];
  try {
    fs.mkdirSync(made);
    write(files, made, owner);
    fs.writeFileSync(list, JSON.stringify(parts));
    give([list], owner, 0o644);
    if (!fs.existsSync(folder)) fs.renameSync(made, folder);
    fs.renameSync(list, listOf(root, group));
  } finally {
    fs.rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}

/** What other versions have left, and kills. Not at once: some checkouts share their packages. */
function clearAway(place) {
  for (const name of fs.readdirSync(place)) {
    const path = join(place, name);
    if (name.endsWith('.json') || fs.statSync(path).mtimeMs > Date.now() - DAY) continue;
    const gone = join(place, `new-${name}`);
    fs.renameSync(path, gone); // in one step: half a folder would be taken for a whole one
    fs.rmSync(gone, { recursive: true });
  }
}

function lend(files, place) {
  const folder = fs.mkdtempSync(join(place, 'moorage-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  write(files, folder, fs.statSync(folder));
  return folder;
}

function write(files, folder, owner) {
  for (const { path, contents } of files) fs.writeFileSync(join(folder, basename(path)), contents);
  give(
    fs.readdirSync(folder).map((name) => join(folder, name)),
    owner,
    0o644,
  );
  give([folder], owner, 0o755);
}

/** Anyone may read it, whatever the umask. */
function give(paths, { uid, gid }, mode) {
  for (const path of paths) {
    fs.chmodSync(path, mode);
    if (process.getuid() === 0) fs.chownSync(path, uid, gid);
  }
}
