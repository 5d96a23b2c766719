import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { paths } from '../paths.ts';
import { gateProblems } from './gate-files.ts';

test('roles and tokens are refused where nobody would look at them, each by its name', async () => {
  const places = paths(await mkdtemp(join(tmpdir(), 'moorage settings ')));
  const problems = (by: 'gate' | 'registry') => gateProblems(places, { auth: { by, ttl: 60 } });
  expect(await problems('registry')).toEqual([]);

  await mkdir(dirname(places.accessFile), { recursive: true });
  await writeFile(places.accessFile, '');
  await writeFile(places.tokensFile, '');
  expect((await problems('registry')).map(({ message }) => message)).toEqual([
    expect.stringContaining('registry/auth/access.yaml is there'),
    expect.stringContaining('registry/auth/tokens.json is there'),
  ]);
  expect(await problems('gate')).toEqual([]);
});
