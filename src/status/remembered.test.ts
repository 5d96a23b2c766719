import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { remembered } from './remembered.ts';

const START = '2026-07-01T12:00:00Z';

test('what was found is told again, and looked at again after a while', async () => {
  const clock = new FakeClock(START);
  let looks = 0;
  const ask = remembered(async () => ++looks, clock);
  expect([await ask(), await ask()]).toEqual([1, 1]);
  await clock.sleep(9_000);
  expect(await ask()).toBe(1);
  await clock.sleep(2_000);
  await ask(); // begins the next look, and does not wait for it
  expect(await ask()).toBe(2);
});

test('who takes a minute is not asked again for twenty', async () => {
  const clock = new FakeClock(START);
  let looks = 0;
  const ask = remembered(async () => {
    await clock.sleep(60_000);
    return ++looks;
  }, clock);
  await ask();
  await ask();
  await clock.sleep(19 * 60_000);
  await ask();
  expect(looks).toBe(1);
  await clock.sleep(2 * 60_000);
  await ask();
  expect(looks).toBe(2);
});

test('while the first look goes on there is nothing to tell', async () => {
  const clock = new FakeClock(START);
  let end = (_: string) => {};
  const ask = remembered(() => new Promise<string>((resolve) => (end = resolve)), clock);
  expect(await ask()).toBeUndefined();
  end('found');
  expect(await ask()).toBe('found');
});
