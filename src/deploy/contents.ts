/**
 * What of a checkout a registry needs, and what the far checkout gets: in each of these folders it has just what is
 * here. Whatever is not named stays as it is there: its settings, its state, its users, its images, nginx snippets.
 */
export const COPIED: readonly string[] = [
  '.dockerignore',
  '.env.dist',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'compose.yaml',
  'tsconfig.json',
  'compose',
  'dns-hooks/README.md', // not the folder: people put programs of their own there, and files with a token
  'dns-hooks/cloudflare.mjs',
  'docs',
  'images',
  'monitoring',
  'nginx/entrypoint.d',
  'nginx/health.sh',
  'nginx/nginx.conf',
  'nginx/templates',
  'nginx/user.d/limits.conf.example',
  'registry/auth/access.yaml.example',
  'registry/config',
  'scripts',
  'src',
];

/** As they come with the packages for a machine, which has nothing for development. */
export const OF_PACKAGES: readonly string[] = ['package.json', 'node_modules', 'package-lock.json'];

/** Not needed where nobody develops; and each machine puts its commands together by itself (`src/start`). */
export const LEFT_OUT: readonly string[] = [
  ...['*.test.ts', '/scripts/test.ts', '/scripts/bench.ts'],
  '/node_modules/.cache',
];
