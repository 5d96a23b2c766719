import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { paths } from '../../src/paths.ts';

const { root } = paths();
const LONGEST_FILE = 250;

/** Packages that one place alone may know. */
const HOMES: Readonly<Record<string, RegExp>> = {
  dockerode: /^src\/engine\//,
  'node-cron': /^src\/system\/ticker\.ts$/,
  '@peculiar/x509': /^src\/certificates\/x509\.ts$/,
  bcryptjs: /^src\/(users\/password\.ts|gate\/hash-worker\.mjs)$/,
  'lru-cache': /^src\/(gate|mirror)\//,
  'prom-client': /^src\/((gate|certificates|backup)\/metrics|exporter\/[a-z-]+)\.ts$/,
  nodemailer: /^src\/alerts\/email\.ts$/,
  aws4fetch: /^src\/storage\/bucket-client\.ts$/,
  yaml: /^src\/access\//,
  execa: /^src\/system\/processes\.ts$/,
  commander: /^(src\/cli|scripts)\//,
  zx: /^scripts\//,
  '@inquirer/password': /^src\/cli\//,
  '@inquirer/confirm': /^src\/cli\//,
};

/** What a folder under src/ may import beside itself: dependencies point from the story to the ports. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  system: [],
  remote: ['system'],
  engine: ['system'],
  access: ['system'],
  settings: ['engine', 'system'],
  users: ['access', 'system'],
  gate: ['access', 'users', 'system'],
  certificates: ['system'],
  acme: ['certificates', 'system'],
  issuers: ['acme', 'certificates', 'settings', 'engine', 'system'],
  host: ['settings', 'engine', 'system'],
  trust: [
    'remote',
    'access',
    'users',
    'certificates',
    'issuers',
    'settings',
    'registry',
    'host',
    'engine',
    'system',
  ],
  images: ['settings', 'host', 'engine', 'system'],
  exporter: ['certificates', 'system'],
  mirror: ['settings', 'system'],
  storage: ['settings', 'system'],
  inventory: ['settings', 'storage', 'system'],
  retention: ['access', 'inventory', 'system'],
  collection: ['access', 'users', 'inventory', 'settings', 'storage', 'stack', 'engine', 'system'],
  relocation: ['certificates', 'collection', 'inventory', 'settings', 'storage', 'stack', 'engine', 'system'],
  usage: ['system'],
  status: ['users', 'usage', 'certificates', 'inventory', 'storage', 'stack', 'settings', 'system'],
  stack: ['settings', 'mirror', 'storage', 'certificates', 'engine', 'system'],
  registry: [
    'access',
    'users',
    'certificates',
    'issuers',
    'images',
    'settings',
    'storage',
    'stack',
    'engine',
    'system',
  ],
  upgrade: ['access', 'users', 'certificates', 'images', 'registry', 'settings', 'stack', 'engine', 'system'],
  doctor: [
    'retention',
    'access',
    'users',
    'certificates',
    'issuers',
    'inventory',
    'settings',
    'storage',
    'stack',
    'registry',
    'host',
    'engine',
    'system',
  ],
  alerts: ['settings', 'system'],
  deploy: ['access', 'doctor', 'settings', 'host', 'remote', 'system', 'trust'],
  move: [
    'backup',
    'collection',
    'deploy',
    'inventory',
    'registry',
    'remote',
    'settings',
    'storage',
    'stack',
    'system',
  ],
  backup: ['inventory', 'settings', 'storage', 'host', 'system'],
  uninstall: ['certificates', 'images', 'settings', 'storage', 'host', 'engine', 'system'],
  cli: [
    'app',
    'uninstall',
    'backup',
    'deploy',
    'move',
    'remote',
    'doctor',
    'access',
    'users',
    'retention',
    'collection',
    'certificates',
    'issuers',
    'inventory',
    'usage',
    'status',
    'upgrade',
    'images',
    'relocation',
    'settings',
    'storage',
    'stack',
    'host',
    'system',
  ],
};

/** Single files that everybody may import. */
const SHARED = ['src/registry/digest.ts', 'src/inventory/layout.ts'];

const files = [...sources('src'), ...sources('scripts')];

test.each(files)('%s imports only what its place allows', (file) => {
  for (const specifier of imports(file)) {
    const home = HOMES[specifier];
    if (home !== undefined) expect(file, `imports ${specifier}`).toMatch(home);
    if (!specifier.startsWith('.')) continue;
    const target = relative(root, join(root, dirname(file), specifier));
    const from = folder(file);
    const to = folder(target);
    const free = from === 'app' || SHARED.includes(target); // it puts the parts together
    if (from !== undefined && to !== undefined && to !== from && !free)
      expect(MAY[from] ?? [], `imports ${target}`).toContain(to);
    expect(target.startsWith('scripts/'), 'a script is imported by nobody').toBe(false);
  }
});

test('nobody but its own opening imports the gate: what the network reaches is apart', () => {
  const importers = files.filter(
    (file) =>
      folder(file) !== 'gate' &&
      imports(file).some((specifier) => /(^|\/)gate\//.test(specifier) && specifier.startsWith('.')),
  );
  expect(importers).toEqual(['src/app/gate.ts']);
});

test.each(files)('%s fits on three screens', (file) => {
  expect(readFileSync(join(root, file), 'utf8').split('\n').length).toBeLessThanOrEqual(LONGEST_FILE);
});

test('the environment is read in one place, and by what runs before there is TypeScript', () => {
  const readers = files.filter((file) => /process\.env\b/.test(readFileSync(join(root, file), 'utf8')));
  expect(readers.sort()).toEqual(['scripts/setup.mjs', 'src/settings/environment.ts']);
});

test('nothing under src prints but the terminal’s own folder', () => {
  const printers = files.filter((file) =>
    /process\.(stdout|stderr)|console\./.test(readFileSync(join(root, file), 'utf8')),
  );
  for (const file of printers) expect(file).toMatch(/^(src\/cli|scripts)\//);
});

function sources(place: string): string[] {
  return readdirSync(join(root, place), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|mjs)$/.test(name) && !name.endsWith('.test.ts'))
    .map((name) => join(place, name))
    .sort();
}

function imports(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\b[^;]*?from '([^']+)';|^import '([^']+)';/gm)].map(
    ([, a, b]) => a ?? b ?? '',
  );
}

function folder(file: string): string | undefined {
  return /^src\/([^/]+)\//.exec(file)?.[1];
}
