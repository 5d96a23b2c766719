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

test('an upload that breaks off goes on where it stopped, in a registry that was recreated meanwhile', async () => {
  const transfer = new Transfer(stack, 'team/resumed');
  const bytes = randomBytes(8 * MiB);
  const digest = digestOf(bytes);
  const part = (from: number, to: number) => bytes.subarray(from * MiB, to * MiB);
  const first = await transfer.patch(await transfer.start(), [part(0, 3)], { from: 0, size: 3 * MiB });

  const broken = transfer.patch(
    first.location,
    (async function* () {
      yield part(3, 5);
      await expect.poll(() => uploadsWithMoreThan(4 * MiB, 'team/resumed'), SOON).toBe(1);
      throw new Error('the line breaks');
    })(),
    { from: 3 * MiB, size: 5 * MiB },
  );
  await expect(broken).rejects.toThrow('the line breaks');
  await stack.checkout.compose('up', '-d', '--force-recreate', '--no-deps', 'registry');

  const { size, location } = await transfer.status(first.location);
  expect(size).toBe(3 * MiB);
  const rest = await transfer.patch(location, [bytes.subarray(size)], {
    from: size,
    size: bytes.length - size,
  });
  await transfer.finish(rest.location, digest);
  expect(await transfer.pull(digest)).toEqual({ digest, size: bytes.length });
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

/** Of uploads to a repository, how many have come so far; the last kilobytes of what was sent may wait in a buffer. */
async function uploadsWithMoreThan(size: number, repository: string): Promise<number> {
  const data = join(stack.checkout.root, 'registry/data/docker/registry/v2/repositories');
  const uploads = join(data, repository, '_uploads');
  let count = 0;
  for (const id of await readdir(uploads))
    if ((await stat(join(uploads, id, 'data'))).size > size) count += 1;
  return count;
}
