import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const RSH = fileURLToPath(new URL('rsh.mjs', import.meta.url));
const MORE_THAN_PIPES_HOLD = 1_000_000;

test('who writes before reading on is told that nobody is there any more, and reads all that came', async () => {
  const far = `head -c ${MORE_THAN_PIPES_HOLD} /dev/zero; exit 11`; // as rsync whose disk is full: reads no more
  const relay = spawn(process.execPath, [RSH, 'sh', '-c', far]);
  const ended = once(relay, 'exit');
  relay.stdin.write(Buffer.alloc(MORE_THAN_PIPES_HOLD));
  expect((await once(relay.stdin, 'error'))[0]).toMatchObject({ code: 'EPIPE' });
  let read = 0;
  for await (const chunk of relay.stdout) read += chunk.length;
  expect(read).toBe(MORE_THAN_PIPES_HOLD);
  expect((await ended)[0]).toBe(11);
});
