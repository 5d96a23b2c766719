import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { Throttle } from './throttle.ts';

const START = '2026-01-01T00:00:00Z';

function fail(
  throttle: Throttle,
  count: number,
  origin: (index: number) => string,
  name: (index: number) => string,
) {
  for (let index = 0; index < count; index += 1) throttle.failed(origin(index), name(index));
}

test('an address may fail 20 times, then once each 3 s', async () => {
  const clock = new FakeClock(START);
  const throttle = new Throttle(clock);
  fail(throttle, 19, () => 'a', String);
  expect(throttle.wait('a', 'x')).toBe(0);
  throttle.failed('a', 'x');
  expect(throttle.wait('a', 'y')).toBe(3);
  expect(throttle.wait('b', 'y'), 'another address').toBe(0);
  await clock.sleep(2_999);
  expect(throttle.wait('a', 'y')).toBe(1);
  await clock.sleep(1);
  expect(throttle.wait('a', 'y')).toBe(0);
  throttle.failed('a', 'y');
  expect(throttle.wait('a', 'y')).toBe(3);
});

test('a name may fail 10 times from all addresses together, then once each 10 s', async () => {
  const clock = new FakeClock(START);
  const throttle = new Throttle(clock);
  fail(throttle, 10, String, () => 'ada');
  expect(throttle.wait('new', 'ada')).toBe(10);
  expect(throttle.wait('new', 'bob'), 'another name').toBe(0);
  await clock.sleep(10_000);
  expect(throttle.wait('new', 'ada')).toBe(0);
});

test('an address is suspect for ten minutes after a failure', async () => {
  const clock = new FakeClock(START);
  const throttle = new Throttle(clock);
  expect(throttle.isSuspect('a')).toBe(false);
  fail(throttle, 2, () => 'a', String);
  await clock.sleep(599_999);
  expect(throttle.isSuspect('a')).toBe(true);
  expect(throttle.isSuspect('b'), 'another address').toBe(false);
  await clock.sleep(1);
  expect(throttle.isSuspect('a')).toBe(false);
});

test('failures beyond the burst, which were under way together, don’t add up to more than one burst', async () => {
  const clock = new FakeClock(START);
  const throttle = new Throttle(clock);
  fail(throttle, 1_000, () => 'a', String);
  expect(throttle.wait('a', 'x')).toBeLessThanOrEqual(6);
});

test('a clock that is set back locks nobody out for longer', () => {
  const clock = new FakeClock(START);
  const throttle = new Throttle(clock);
  fail(
    throttle,
    10,
    () => 'a',
    () => 'ada',
  );
  clock.set(new Date('2025-01-01T00:00:00Z'));
  expect(throttle.wait('a', 'ada')).toBeLessThanOrEqual(10);
});

test('throttled is who had to wait within the last minute, as an address or as a name', async () => {
  const clock = new FakeClock(START);
  const throttle = new Throttle(clock);
  fail(throttle, 10, String, () => 'ada');
  fail(throttle, 20, () => 'a', String);
  expect(throttle.throttled(), 'nobody has asked again').toEqual({ origins: 0, names: 0 });
  throttle.wait('new', 'ada');
  throttle.wait('a', 'bob');
  throttle.wait('a', 'eve');
  throttle.wait('other', 'eve');
  expect(throttle.throttled()).toEqual({ origins: 1, names: 1 });
  await clock.sleep(59_000);
  expect(throttle.throttled()).toEqual({ origins: 1, names: 1 });
  await clock.sleep(1_000);
  expect(throttle.throttled()).toEqual({ origins: 0, names: 0 });
});
