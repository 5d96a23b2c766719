import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GuardedStack } from '../support/guarded-stack.ts';
import { peakMemory, processesOf, writtenToDisk } from '../support/part-process.ts';
import { repeated, Transfer } from '../support/transfer.ts';

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;
const SIZE = 10 * GiB;
const PIECE = Buffer.alloc(MiB);
/** The registry writes a layer once; what is left is for everybody else. */
const NEEDED = 14 * GiB;

let stack: GuardedStack;

beforeAll(async () => {
  const { bavail, bsize } = await statfs(tmpdir());
  if (bavail * bsize < NEEDED)
    throw new Error(
      `a layer of 10 GiB needs ${NEEDED / GiB} GiB in ${tmpdir()}; ${bavail * bsize} bytes are free`,
    );
  stack = await GuardedStack.open('users:\n  admin: [admin]\n', ['nobody']);
});

afterAll(() => stack?.checkout.dispose());

test('a layer of 10 GiB is pushed and pulled, and leaves nothing in anybody’s memory or on nginx’s disk', async () => {
  const transfer = new Transfer(stack, 'team/large');
  await transfer.pull(await transfer.push(repeated(PIECE, 64))); // so that all buffers are there
  const nginx = await processesOf(stack.checkout, 'nginx');
  const gate = await processesOf(stack.checkout, 'gate');
  const before = { nginx: await peakMemory(nginx), gate: await peakMemory(gate) };
  const written = await writtenToDisk(nginx);

  const digest = await transfer.push(repeated(PIECE, SIZE / PIECE.length));
  expect(await transfer.pull(digest)).toEqual({ digest, size: SIZE });

  expect((await peakMemory(nginx)) - before.nginx).toBeLessThan(32 * MiB);
  expect((await peakMemory(gate)) - before.gate).toBeLessThan(64 * MiB);
  expect((await writtenToDisk(nginx)) - written).toBeLessThan(4 * MiB); // its log
  expect((await stack.checkout.compose('logs', '--no-log-prefix', 'nginx')).stdout).not.toMatch(
    /buffered to a temporary file/,
  );
});
