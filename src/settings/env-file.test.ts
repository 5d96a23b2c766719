import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { expect, test } from 'vitest';
import { paths } from '../paths.ts';
import { ensureEnvFile, setLine, writeGenerated } from './env-file.ts';

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

test.each([
  ['its own line', 'A=1\nREGISTRY_DATA_DIR=/old\n', 'A=1\nREGISTRY_DATA_DIR=/new\n'],
  ['its default', 'A=1\n#REGISTRY_DATA_DIR=./x\n', 'A=1\nREGISTRY_DATA_DIR=/new\n'],
  ['a new line', 'A=1\n', 'A=1\nREGISTRY_DATA_DIR=/new\n\n'],
])('a setting is changed in %s', (_, before, after) => {
  expect(setLine(before, 'REGISTRY_DATA_DIR', '/new')).toBe(after);
});
