import { randomBytes } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestOf } from '../../src/registry/digest.ts';
import { GuardedStack } from '../support/guarded-stack.ts';
import { processesOf } from '../support/part-process.ts';
import { Transfer } from '../support/transfer.ts';

const MiB = 1024 * 1024;
const SOON = { timeout: 60_000, interval: 50 };

let stack: GuardedStack;

beforeAll(async () => {
  stack = await GuardedStack.open('users:\n  admin: [admin]\n', ['nobody']);
});

afterAll(() => stack?.checkout.dispose());

test('an upload in chunks goes on where it stopped, over a new connection and in a registry that was recreated', async () => {
  const transfer = new Transfer(stack, 'team/resumed');
  const bytes = randomBytes(8 * MiB);
  const digest = digestOf(bytes);
  const chunk = { from: 0, size: 3 * MiB };
  const begun = await transfer.patch(await transfer.start(), [bytes.subarray(0, chunk.size)], chunk);
  await recreateRegistry();
  const { size, location } = await transfer.status(begun.location);
  expect(size).toBe(chunk.size);
  const rest = { from: size, size: bytes.length - size };
  const ended = await transfer.patch(location, [bytes.subarray(size)], rest);
  await transfer.finish(ended.location, digest);
  expect(await transfer.pull(digest)).toEqual({ digest, size: bytes.length });
});

test('one that breaks off in the middle of a chunk is over, and is begun anew', async () => {
  const repository = 'team/broken';
  const transfer = new Transfer(stack, repository);
  const bytes = randomBytes(4 * MiB);
  const location = await transfer.start();
  const breaking = async function* () {
    yield bytes.subarray(0, 2 * MiB);
    await expect.poll(() => uploadsWithMoreThan(MiB, repository), SOON).toBe(1);
    throw new Error('the line breaks');
  };
  const broken = transfer.patch(location, breaking(), { from: 0, size: bytes.length });
  await expect(broken).rejects.toThrow('the line breaks');
  await recreateRegistry();
  // What distribution 2.8 has of it is more than it has signed for.
  await expect(transfer.status(location)).rejects.toThrow('BLOB_UPLOAD_INVALID');
  const digest = await transfer.push([bytes]);
  expect(await transfer.pull(digest)).toEqual({ digest: digestOf(bytes), size: bytes.length });
});

test('two clients push the same layer while nginx is reloaded under them', async () => {
  const repository = 'team/twice';
  const transfer = new Transfer(stack, repository);
  const halves = [randomBytes(4 * MiB), randomBytes(4 * MiB)] as const;
  let reloaded = () => {};
  const reload = new Promise<void>((resolve) => {
    reloaded = resolve;
  });
  const body = async function* () {
    yield halves[0];
    await reload;
    yield halves[1];
  };
  const pushes = [transfer.push(body()), transfer.push(body())];
  await expect.poll(() => uploadsWithMoreThan(3 * MiB, repository), SOON).toBe(2);
  const before = await processesOf(stack.checkout, 'nginx');
  await stack.checkout.compose('exec', 'nginx', 'nginx', '-s', 'reload');
  const newOnes = async () =>
    (await processesOf(stack.checkout, 'nginx')).some((pid) => !before.includes(pid));
  await expect.poll(newOnes, SOON).toBe(true);
  reloaded();
  const digest = digestOf(Buffer.concat(halves));
  expect(await Promise.all(pushes)).toEqual([digest, digest]);
  expect(await transfer.pull(digest)).toEqual({ digest, size: 8 * MiB });
});

async function recreateRegistry(): Promise<void> {
  const recreate = ['up', '-d', '--force-recreate', '--no-deps', 'registry'];
  expect(await stack.checkout.compose(...recreate)).toMatchObject({ exitCode: 0 });
}

/** Of uploads to a repository, how many have come so far; the last kilobytes of what was sent may wait in a buffer. */
async function uploadsWithMoreThan(size: number, repository: string): Promise<number> {
  const data = join(stack.checkout.root, 'registry/data/docker/registry/v2/repositories');
  const uploads = join(data, repository, '_uploads');
  let count = 0;
  for (const id of await readdir(uploads))
    if ((await stat(join(uploads, id, 'data'))).size > size) count += 1;
  return count;
}
