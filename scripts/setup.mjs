// Before every npm script (node --import): plain JavaScript, so that a fresh clone needs no step before it.
import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import util from 'node:util';

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
      env: { ...proxies(), ...process.env },
      stdio: ['ignore', 2, 2],
    });
  } catch {
    process.stderr.write(
      'Node packages could not be installed. Fix what npm reports above, then run this again.\n',
    );
    process.exit(1);
  }
}

/** What `.env` has for npm, which looks for `https_proxy` first; what the shell has under either name is given first. */
function proxies() {
  const set = statSync(`${root}.env`, { throwIfNoEntry: false })
    ? util.parseEnv(readFileSync(`${root}.env`, 'utf8'))
    : {};
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'].filter(
    (name) => set[name] && !process.env[name] && !process.env[name.toLowerCase()],
  );
  return Object.fromEntries(names.map((name) => [name.toLowerCase(), set[name]]));
}

/** When a file last changed, in milliseconds; 0 when there is none. */
function changed(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
