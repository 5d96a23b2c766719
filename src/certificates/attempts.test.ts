import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AttemptGate } from './attempts.ts';

const now = new Date('2027-01-01T00:00:00Z');

async function gate(): Promise<{ path: string; gate: AttemptGate }> {
  const path = join(await mkdtemp(join(tmpdir(), 'moorage-gate-')), 'attempts.json');
  return { path, gate: new AttemptGate(path) };
}

test('after failures in a row the pause grows: 1 min, 10 min, 100 min, a day, a day', async () => {
  const { gate: attempts } = await gate();
  const minutes: number[] = [];
  for (let count = 0; count < 5; count += 1) {
    const { nextAttempt } = await attempts.failed(now, 'no');
    minutes.push((nextAttempt.getTime() - now.getTime()) / 60_000);
  }
  expect(minutes).toEqual([1, 10, 100, 1440, 1440]);
});

test('a restart does not forget the failures; a success does', async () => {
  const { path, gate: attempts } = await gate();
  await attempts.failed(now, 'the CA said no');
  expect(await new AttemptGate(path).read(now)).toMatchObject({ failures: 1, lastError: 'the CA said no' });
  await attempts.succeeded(now);
  expect(await new AttemptGate(path).read(now)).toBeUndefined();
});

test('a file that can’t be read says nothing', async () => {
  const { path, gate: attempts } = await gate();
  await writeFile(path, '{"failures": 3,');
  expect(await attempts.read(now)).toBeUndefined();
  expect(await attempts.failed(now, 'no')).toMatchObject({ failures: 1 });
});

test('a next attempt in a far future, written by a clock that was wrong, is now', async () => {
  const { gate: attempts } = await gate();
  await attempts.failed(new Date('2037-01-01T00:00:00Z'), 'no');
  expect(await attempts.read(now)).toMatchObject({ failures: 1, nextAttempt: now });
});
