import { lstat, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { expect, test } from 'vitest';
import { paths } from '../paths.ts';
import { ensureEnvFile, readOwn, withOwn, writeGenerated, writeOwn } from './env-file.ts';

async function folder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'moorage-env-'));
}

test('.env is made from .env.dist, for its owner alone, and never replaced', async () => {
  const places = paths(await folder());
  await writeFile(places.envExample, 'DOMAIN=localhost\n');
  expect(await ensureEnvFile(places)).toBe(true);
  expect((await stat(places.envFile)).mode & 0o777).toBe(0o600);
  await writeFile(places.envFile, 'DOMAIN=mine.example\n');
  expect(await ensureEnvFile(places)).toBe(false);
  expect(await readFile(places.envFile, 'utf8')).toBe('DOMAIN=mine.example\n');
});

test("findings go into a block of their own and leave the person's lines as they are", async () => {
  const file = join(await folder(), '.env');
  const own = '# my registry\nDOMAIN="r.example"   # here\n\nEMAIL=\n';
  await writeFile(file, own);
  expect(await writeGenerated(file, { A: '1', B: '2' })).toEqual(['A', 'B']);
  expect(await writeGenerated(file, { A: '1', B: undefined, C: '3' })).toEqual(['B', 'C']);
  const text = await readFile(file, 'utf8');
  expect(text.startsWith(own.trimEnd())).toBe(true);
  expect(parse(text)).toMatchObject({ DOMAIN: 'r.example', A: '1', C: '3' });
  expect(parse(text)).not.toHaveProperty('B');
});

test('the same findings again do not touch the file', async () => {
  const file = join(await folder(), '.env');
  await writeGenerated(file, { A: '1' });
  const before = await stat(file);
  expect(await writeGenerated(file, { A: '1' })).toEqual([]);
  expect((await stat(file)).ino).toBe(before.ino);
});

test('one that is a link stays one; a link that leads to nothing is no reason to begin anew', async () => {
  const places = paths(await folder());
  const kept = join(await folder(), 'settings');
  await writeFile(kept, 'DOMAIN=mine.example\n');
  await symlink(kept, places.envFile);
  await writeOwn(places.envFile, { EMAIL: 'ada@mine.example' });
  await writeGenerated(places.envFile, { A: '1' });
  expect(parse(await readFile(kept, 'utf8'))).toEqual({
    ...{ DOMAIN: 'mine.example', EMAIL: 'ada@mine.example' },
    A: '1',
  });
  expect((await lstat(places.envFile)).isSymbolicLink()).toBe(true);
  await writeFile(places.envExample, 'DOMAIN=localhost\n');
  await rm(kept);
  await expect(ensureEnvFile(places)).rejects.toMatchObject({ code: 'settings-missing' });
});

test('a line of one’s own is set below its commented default, replaced where it is, and taken away again', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'env-')), '.env');
  await writeFile(file, 'DOMAIN=localhost\n#NGINX_IMAGE=nginx:1\n# more\n');
  await writeGenerated(file, { GATE_IMAGE: 'moorage/gate:1' });
  const before = await readFile(file, 'utf8');
  expect(await writeOwn(file, { NGINX_IMAGE: 'nginx:2', REGISTRY_IMAGE: 'registry:3' })).toEqual([
    'NGINX_IMAGE',
    'REGISTRY_IMAGE',
  ]);
  expect((await readFile(file, 'utf8')).split('\n').slice(0, 5)).toEqual([
    'DOMAIN=localhost',
    '#NGINX_IMAGE=nginx:1',
    'NGINX_IMAGE=nginx:2',
    '# more',
    'REGISTRY_IMAGE=registry:3',
  ]);
  expect(await writeOwn(file, { NGINX_IMAGE: 'nginx:2' })).toEqual([]);
  await writeOwn(file, { NGINX_IMAGE: 'nginx:4' });
  expect(await readFile(file, 'utf8')).toContain('\nNGINX_IMAGE=nginx:4\n');
  await writeOwn(file, { NGINX_IMAGE: undefined, REGISTRY_IMAGE: undefined });
  expect(await readFile(file, 'utf8')).toBe(before);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('a value that begins with a quote is in quotes, without which Compose reads nothing of the file', async () => {
  const file = join(await folder(), '.env');
  for (const value of [`"it`, `'it`, `it's`, '`x', `"a b"`]) {
    await writeOwn(file, { KEY: value });
    const text = await readFile(file, 'utf8');
    expect(parse(text).KEY).toBe(value);
    expect(text).toMatch(/^KEY=(?:(["']).*\1|[^"'`].*)\n$/);
  }
});

test('a line with a colon, which dotenv and Compose take too, is replaced and does not win over the new one', async () => {
  const file = join(await folder(), '.env');
  await writeFile(file, '#DOMAIN=localhost\nDOMAIN: old.example\n');
  await writeOwn(file, { DOMAIN: 'new.example' });
  expect(parse(await readFile(file, 'utf8')).DOMAIN).toBe('new.example');
});

const BLOCK = '# --- Written by init-tls. Change the settings above instead. ---';

test('a line that a person appended, as by echo NAME=VALUE >> .env, is theirs below the block, too', async () => {
  const text = `DOMAIN=r.example\nAUTH=gate\n\n${BLOCK}\nLISTEN=tls\nRENEWER_REPLICAS=0\nBACKUP_PASSWORD=made\nAUTH=registry\nIMAGES=load\n`;
  expect(readOwn(text)).toEqual({ DOMAIN: 'r.example', AUTH: 'registry', IMAGES: 'load' });
  expect(parse(withOwn(text, { IMAGES: undefined, AUTH: 'gate', BACKUP_PASSWORD: 'given' }).text)).toEqual({
    ...{ DOMAIN: 'r.example', AUTH: 'gate', BACKUP_PASSWORD: 'given' },
    ...{ LISTEN: 'tls', RENEWER_REPLICAS: '0' },
  });
});

test('what was appended in quotes still is what it was once the block is written anew', async () => {
  const file = join(await folder(), '.env');
  await writeFile(file, `${BLOCK}\nA=1\nMIRROR_PASSWORD='a$b #c'\n`);
  await writeGenerated(file, { A: '2' });
  expect(await readFile(file, 'utf8')).toContain("\nMIRROR_PASSWORD='a$b #c'\n");
});
