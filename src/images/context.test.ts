import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readContext } from './context.ts';

test('the same files are the same image under any umask; one that may be run is another', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'context-'));
  const file = join(folder, 'start.sh');
  await writeFile(file, 'exit');
  const digests = [];
  for (const mode of [0o644, 0o664, 0o600, 0o755, 0o700]) {
    await chmod(file, mode);
    digests.push((await readContext(folder)).digest);
  }
  const [plain = '', , , runnable = ''] = digests;
  expect(digests).toEqual([plain, plain, plain, runnable, runnable]);
  expect(runnable).not.toBe(plain);
});
