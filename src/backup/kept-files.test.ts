import { lstat, mkdir, mkdtemp, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { copyKept } from './kept-files.ts';

let root: string;
let elsewhere: string;
let copy: string;

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kept-'));
  [root, elsewhere, copy] = [join(folder, 'checkout'), join(folder, 'elsewhere'), join(folder, 'copy')];
  await mkdir(join(root, 'nginx/user.d'), { recursive: true });
  await mkdir(join(root, 'registry'), { recursive: true });
  await mkdir(elsewhere);
});

test('what only a link in the checkout leads to is copied itself', async () => {
  await writeFile(join(elsewhere, 'settings'), 'DOMAIN=a', { mode: 0o600 });
  await symlink(join(elsewhere, 'settings'), join(root, '.env'));
  await mkdir(join(elsewhere, 'auth'));
  await writeFile(join(elsewhere, 'auth/registry.password'), 'ada:…');
  await symlink(join(elsewhere, 'auth'), join(root, 'registry/auth'));
  await writeFile(join(elsewhere, 'limits.conf'), '# limits');
  await symlink('../../../elsewhere/limits.conf', join(root, 'nginx/user.d/limits.conf'));
  await copyKept(root, copy);
  expect(await readFile(join(copy, '.env'), 'utf8')).toBe('DOMAIN=a');
  expect((await lstat(join(copy, '.env'))).isFile()).toBe(true);
  expect((await stat(join(copy, '.env'))).mode & 0o777).toBe(0o600);
  expect(await readFile(join(copy, 'registry/auth/registry.password'), 'utf8')).toBe('ada:…');
  expect((await lstat(join(copy, 'registry/auth'))).isDirectory()).toBe(true);
  expect(await readFile(join(copy, 'nginx/user.d/limits.conf'), 'utf8')).toBe('# limits');
});

test('a link within what is kept, to a folder, or to nothing stays a link', async () => {
  await mkdir(join(root, 'var/tls/generation-1'), { recursive: true });
  await symlink('generation-1', join(root, 'var/tls/current'));
  await symlink('nowhere', join(root, 'var/tls/dangling'));
  await symlink('/', join(root, 'nginx/user.d/all'));
  await copyKept(root, copy);
  expect(await readlink(join(copy, 'var/tls/current'))).toBe('generation-1');
  expect(await readlink(join(copy, 'var/tls/dangling'))).toBe('nowhere');
  expect(await readlink(join(copy, 'nginx/user.d/all'))).toBe('/');
});
