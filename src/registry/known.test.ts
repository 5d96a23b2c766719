import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { onceKnown, statusOnceKnown } from './known.ts';

const answering = (...answers: number[]) => {
  const asked = { times: 0 };
  const check = async () => answers[Math.min(asked.times++, answers.length - 1)] ?? 0;
  return { asked, check };
};

test('who is known at once is asked for once', async () => {
  const { asked, check } = answering(200);
  expect(await statusOnceKnown(new FakeClock('2026-07-01T12:00:00Z'), { check })).toBe(200);
  expect(asked.times).toBe(1);
});

test('who was made just now is asked for again until the registry knows', async () => {
  const { asked, check } = answering(401, 401, 200);
  expect(await statusOnceKnown(new FakeClock('2026-07-01T12:00:00Z'), { check })).toBe(200);
  expect(asked.times).toBe(3);
});

test('who stays unknown gets the last answer, after 15 s', async () => {
  const clock = new FakeClock('2026-07-01T12:00:00Z');
  expect(await statusOnceKnown(clock, answering(401))).toBe(401);
  expect(clock.now()).toEqual(new Date('2026-07-01T12:00:15Z'));
});

test('a registry that can’t be asked is told at once', async () => {
  const clock = new FakeClock('2026-07-01T12:00:00Z');
  const silent = () => Promise.reject(new Error('refused'));
  await expect(onceKnown(clock, silent, () => true)).rejects.toThrow('refused');
  expect(clock.now()).toEqual(new Date('2026-07-01T12:00:00Z'));
});
