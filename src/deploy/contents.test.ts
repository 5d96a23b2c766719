import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { paths } from '../paths.ts';
import { COPIED } from './contents.ts';

/** For those who develop, and what a stage brings by itself. */
const STAYS_HERE =
  /^(\.ci|test)\/|^(\.editorconfig|\.gitignore|CONTRIBUTING\.md|(biome|knip|package|package-lock)\.json|vitest\.config\.ts)$|\/\.gitkeep$/;

test('whatever is in the checkout is either copied or known not to be needed there', () => {
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: paths().root, encoding: 'utf8' }).split(
    '\0',
  );
  const inside = (file: string) => COPIED.some((path) => file === path || file.startsWith(`${path}/`));
  expect(tracked.filter((file) => file !== '' && !inside(file) && !STAYS_HERE.test(file))).toEqual([]);
});

test('nothing is copied over what another machine has of its own', () => {
  const own = [
    '.env',
    'dns-hooks',
    'var',
    'registry',
    'registry/auth',
    'registry/data',
    'retention.yaml',
    'nginx',
    'nginx/user.d',
  ];
  expect(COPIED.filter((path) => own.includes(path))).toEqual([]);
});
