import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

test('work on one thing waits for the work before it, also for work that fails', async () => {
  const turns = new Turns();
  const log: string[] = [];
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const first = turns.inTurn('a', async () => {
    await held;
    log.push('first');
    throw new Error('failed');
  });
  const second = turns.inTurn('a', async () => log.push('second'));
  await turns.inTurn('b', async () => log.push('elsewhere'));
  release();
  await expect(first).rejects.toThrow('failed');
  await second;
  expect(log).toEqual(['elsewhere', 'first', 'second']);
});
