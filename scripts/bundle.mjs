// Makes one file of the daemon and all it uses: `node scripts/bundle.mjs OUTPUT`. For the renewer's image.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const [output] = process.argv.slice(2);
if (output === undefined) throw new Error('Usage: node scripts/bundle.mjs OUTPUT');

await build({
  entryPoints: [fileURLToPath(new URL('daemon.ts', import.meta.url))],
  outfile: output,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  logLevel: 'warning',
  // Optional native speed-ups of the SSH transport, which the renewer does not use.
  external: ['cpu-features', '*.node'],
  // CommonJS packages inside the bundle still expect these.
  banner: {
    js: [
      "import { createRequire } from 'node:module';",
      'const require = createRequire(import.meta.url);',
      'const __dirname = import.meta.dirname;',
    ].join(' '),
  },
});
