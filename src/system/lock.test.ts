import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { type Clock, systemClock } from './clock.ts';
import { withLock } from './lock.ts';

/** The real clock, but waiting takes no time. */
const hurried: Clock = { ...systemClock, sleep: async () => undefined };

async function lockPath(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), 'moorage-lock-')), 'lock');
}

const holder = { token: 'theirs', what: 'npm run init-tls', pid: 1, since: '2026-11-21T00:00:00.000Z' };

test('two at once: the second is told who runs and since when', async () => {
  const path = await lockPath();
  await withLock(path, 'npm run init-tls', systemClock, async () => {
    await expect(withLock(path, 'npm run renew', systemClock, async () => 'in')).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining(`npm run init-tls is running (process ${process.pid}`),
    });
  });
});

test('the lock is free afterwards, also after a failure, and leaves no file behind', async () => {
  const path = await lockPath();
  await expect(withLock(path, 'a', systemClock, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await withLock(path, 'b', systemClock, async () => 'in')).toBe('in');
  expect(await readdir(dirname(path))).toEqual([]);
});

/** The lock file of a process that holds it, as it would have written it. */
async function heldBy(path: string, pid: number | undefined): Promise<void> {
  let mine: Record<string, unknown> = {};
  await withLock(path, 'a', systemClock, async () => {
    mine = JSON.parse(await readFile(path, 'utf8'));
  });
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const began = stat.slice(stat.lastIndexOf(')')).split(' ')[20];
  await writeFile(path, JSON.stringify({ ...mine, token: 'theirs', pid, began }));
}

test('a holder that was killed is noticed at once', async () => {
  const path = await lockPath();
  const child = spawn('sleep', ['60']);
  await heldBy(path, child.pid);
  await expect(withLock(path, 'b', systemClock, async () => 'in')).rejects.toMatchObject({ code: 'locked' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await withLock(path, 'b', systemClock, async () => 'in')).toBe('in');
});

test('a holder that lives keeps it, also when a clock that jumped says that it missed its beats', async () => {
  const path = await lockPath();
  const child = spawn('sleep', ['60']);
  await heldBy(path, child.pid);
  await utimes(path, new Date(0), new Date(0));
  await expect(withLock(path, 'b', systemClock, async () => 'in')).rejects.toMatchObject({ code: 'locked' });
  child.kill('SIGKILL');
});

test('a holder whose number was given to another process has ended', async () => {
  const path = await lockPath();
  await withLock(path, 'a', systemClock, async () => {
    const mine = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(`${path}.copy`, JSON.stringify({ ...mine, token: 'theirs', began: '1' }));
  });
  await writeFile(path, await readFile(`${path}.copy`, 'utf8'));
  expect(await withLock(path, 'b', systemClock, async () => 'in')).toBe('in');
});

test('a file that lost its content with the power counts until it has missed its beats', async () => {
  const path = await lockPath();
  await writeFile(path, '');
  await expect(withLock(path, 'b', hurried, async () => 'in')).rejects.toMatchObject({ code: 'locked' });
  await utimes(path, new Date(0), new Date(0));
  expect(await withLock(path, 'b', hurried, async () => 'in')).toBe('in');
});

test('a holder out of sight, in another container, counts as dead once it misses its heartbeats', async () => {
  const path = await lockPath();
  await writeFile(path, JSON.stringify({ ...holder, processes: 'another boot' }));
  await expect(withLock(path, 'b', hurried, async () => 'in')).rejects.toMatchObject({ code: 'locked' });
  const longAgo = new Date(Date.now() - 31_000);
  await utimes(path, longAgo, longAgo);
  expect(await withLock(path, 'b', hurried, async () => 'in')).toBe('in');
});

test('of many that find an abandoned lock, one at a time gets in', async () => {
  const path = await lockPath();
  await writeFile(path, JSON.stringify({ ...holder, processes: 'another boot' }));
  await utimes(path, new Date(0), new Date(0));
  let inside = 0;
  let most = 0;
  const attempts = Array.from({ length: 20 }, () =>
    withLock(path, 'b', hurried, async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    }),
  );
  const results = await Promise.allSettled(attempts);
  expect(most).toBe(1);
  expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
});

test('a beat in the future, left by a clock that was wrong, does not hold it until then', async () => {
  const path = await lockPath();
  await writeFile(path, JSON.stringify({ ...holder, processes: 'another boot' }));
  const future = new Date(Date.now() + 365 * 24 * 3_600_000);
  await utimes(path, future, future);
  expect(await withLock(path, 'b', hurried, async () => 'in')).toBe('in');
});

test('a holder out of sight that beats while it is waited for keeps it: the clock jumped', async () => {
  const path = await lockPath();
  await writeFile(path, JSON.stringify({ ...holder, processes: 'another boot' }));
  await utimes(path, new Date(0), new Date(0));
  const beating: Clock = { ...systemClock, sleep: async () => utimes(path, new Date(), new Date()) };
  await expect(withLock(path, 'b', beating, async () => 'in')).rejects.toMatchObject({ code: 'locked' });
});
