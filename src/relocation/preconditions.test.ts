import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectCopy } from './preconditions.ts';

test('a copy that is not where it was is missed: its disk may have pushes that are nowhere else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'copy-'));
  await expect(expectCopy(folder)).rejects.toMatchObject({ code: 'copy-missing' });
  await mkdir(join(folder, 'docker/registry/v2/repositories/app'), { recursive: true });
  await expectCopy(folder);
});
