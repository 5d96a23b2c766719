import { chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dnsHookEnvProblem, dnsHookProblem } from './dns-hook.ts';

async function file(mode: number): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'moorage-hook-')), 'hook');
  await writeFile(path, '#!/bin/sh\n');
  await chmod(path, mode);
  return path;
}

test('an executable file can be the hook, a private file can hold its credentials', async () => {
  expect(await dnsHookProblem(await file(0o755))).toBeUndefined();
  expect(await dnsHookProblem(await file(0o500))).toBeUndefined();
  expect(await dnsHookEnvProblem(await file(0o600))).toBeUndefined();
  expect(await dnsHookEnvProblem(await file(0o400))).toBeUndefined();
});

test.each([
  [0o644, 'is not executable', 'chmod +x'],
  [0o757, 'can be changed by anybody', 'chmod o-w'],
])('a hook with the mode %o is refused', async (mode, what, remedy) => {
  expect(await dnsHookProblem(await file(mode))).toEqual({ what, remedy: expect.stringContaining(remedy) });
});

test('what is no file is refused for what it is', async () => {
  const path = await file(0o755);
  await mkdir(`${path}.d`);
  for (const check of [dnsHookProblem, dnsHookEnvProblem]) {
    expect(await check(`${path}.d`)).toMatchObject({ what: 'is not a regular file' });
    expect(await check(`${path}.none`)).toMatchObject({ what: 'does not exist' });
    expect(await check(`${path}/none`)).toMatchObject({ what: 'does not exist' });
  }
});
