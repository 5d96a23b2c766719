// Every npm script starts here (node --import): plain JavaScript, so that a fresh clone needs no step before it.
import { execFileSync } from 'node:child_process';
import { lstatSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [major] = process.versions.node.split('.').map(Number);
if (major < 20) {
  process.stderr.write(
    `Moorage needs Node 20 or newer; this is ${process.version}. See https://nodejs.org/\n`,
  );
  process.exit(2);
}

// A link is somebody else's folder: npm would empty it.
const linked = lstatSync(`${root}node_modules`, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
if (!linked && changed(`${root}package-lock.json`) > changed(`${root}node_modules/.package-lock.json`)) {
  process.stderr.write('Installing Node packages …\n');
  try {
    execFileSync('npm', ['ci', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 2, 2],
    });
  } catch {
    process.stderr.write(
      'Node packages could not be installed. Mend what npm says above, then run this again.\n',
    );
    process.exit(1);
  }
}

const { register } = await import('tsx/esm/api');
register();

/** When a file last changed, in milliseconds; 0 when there is none. */
function changed(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
