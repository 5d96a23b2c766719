// Bundles a program with all it uses: `node scripts/bundle.mjs renewer|gate|relay|exporter FOLDER`. For its image.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { BUNDLED, FOR_COMMONJS } from '../src/start/bundling.mjs';

/** main.mjs is what runs; what else is named here is a worker beside it. */
const PROGRAMS = {
  renewer: { main: 'scripts/daemon.ts' },
  gate: { main: 'scripts/gate.ts', 'hash-worker': 'src/gate/hash-worker.mjs' },
  relay: { main: 'scripts/relay.ts' },
  exporter: { main: 'scripts/exporter.ts' },
};

const [program, folder] = process.argv.slice(2);
const files = PROGRAMS[program];
if (files === undefined || folder === undefined)
  throw new Error(`Usage: node scripts/bundle.mjs ${Object.keys(PROGRAMS).join('|')} FOLDER`);

const root = new URL('..', import.meta.url);
const entryPoints = Object.entries(files).map(([out, file]) => ({
  in: fileURLToPath(new URL(file, root)),
  out,
}));

await build({
  entryPoints,
  outdir: folder,
  outExtension: { '.js': '.mjs' },
  ...BUNDLED,
  banner: { js: FOR_COMMONJS },
});
