import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { removalOfCarried } from './programs-here.ts';

test('what deploying brought is named with the links that lead to it, and nobody else’s', async () => {
  const place = await mkdtemp(join(tmpdir(), 'carried-'));
  const [programs, links] = [join(place, 'moorage'), join(place, 'bin')];
  expect(await removalOfCarried(programs, links)).toBeUndefined();
  await mkdir(join(programs, 'node-22.1.0/bin'), { recursive: true });
  await mkdir(links);
  await writeFile(join(links, 'npm'), 'somebody else’s');
  await symlink('/usr/bin/env', join(links, 'env'));
  await symlink(join(programs, 'node-22.1.0/bin/node'), join(links, 'node'));
  expect(await removalOfCarried(programs, links)).toBe(`sudo rm -r ${programs} ${links}/node`);
});
