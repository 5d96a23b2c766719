import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { LastUse } from './last-use.ts';

const NOW = '2026-01-01T00:00:00.000Z';
let file: string;

beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'last-use-')), 'last-used.json');
});

const written = async () => JSON.parse(await readFile(file, 'utf8'));

test('what is used is written, with what an earlier process wrote, but nothing about tokens that are gone', async () => {
  await writeFile(
    file,
    JSON.stringify({ old: '2025-06-01T00:00:00.000Z', gone: '2025-06-01T00:00:00.000Z' }),
  );
  const uses = await LastUse.open(file, new FakeClock(NOW));
  uses.note('new');
  await uses.save(new Set(['old', 'new']));
  expect(await written()).toEqual({ old: '2025-06-01T00:00:00.000Z', new: NOW });
});

test('nothing is written while nothing is used', async () => {
  const uses = await LastUse.open(file, new FakeClock(NOW));
  await uses.save(new Set());
  await expect(written()).rejects.toThrow('ENOENT');
});

test('a file that can’t be read is begun anew', async () => {
  await writeFile(file, '{"a":');
  const uses = await LastUse.open(file, new FakeClock(NOW));
  uses.note('a');
  await uses.save(new Set(['a']));
  expect(await written()).toEqual({ a: NOW });
});

test('what could not be written is written the next time', async () => {
  const uses = await LastUse.open(join(file, 'below', 'a file'), new FakeClock(NOW));
  uses.note('a');
  await expect(uses.save(new Set(['a']))).rejects.toThrow();
  await expect(uses.save(new Set(['a']))).rejects.toThrow();
});
