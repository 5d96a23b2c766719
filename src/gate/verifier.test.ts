import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { Secret } from '../secret.ts';
import { costOf } from '../users/htpasswd.ts';
import { dummyHash } from './dummy-hash.ts';
import type { Comparison, Hasher, Lane, Outcome } from './hasher.ts';
import { Verifier } from './verifier.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const TTL = 5 * MINUTE;
/** Any hash will do: the hasher below knows which password belongs to which. */
const STORED = dummyHash(6);
const CHANGED = dummyHash(7);
const WRONG = { kind: 'wrong', first: true };
const WRONG_AGAIN = { kind: 'wrong', first: false };
const RIGHT = { kind: 'right' };

/** `right` is the password of STORED, `new` that of CHANGED. Answers when it is let. */
class FakeHasher implements Hasher {
  readonly asked: { comparison: Comparison; lane: Lane }[] = [];
  readonly #waiting: (() => void)[] = [];
  holds = false;
  broken = false;
  busy = false;

  async compare(comparison: Comparison, lane: Lane): Promise<Outcome> {
    this.asked.push({ comparison, lane });
    if (this.holds) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.broken) throw new Error('broken');
    if (this.busy) return { kind: 'busy', seconds: 7 };
    const password = comparison.password.reveal();
    const right = comparison.hash === STORED ? 'right' : comparison.hash === CHANGED ? 'new' : undefined;
    return { kind: password === right ? 'right' : 'wrong' };
  }

  release(): void {
    this.holds = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  get lanes() {
    return this.asked.map(({ lane }) => lane.kind);
  }
}

function situation() {
  const clock = new FakeClock('2026-01-01T00:00:00Z');
  const hasher = new FakeHasher();
  const costs = { highest: 8 };
  const verifier = new Verifier({ hasher, clock, ttl: TTL, highestCost: () => costs.highest });
  const login = (
    password: string,
    { name = 'ada', address = '192.0.2.1', hash = STORED as string | undefined } = {},
  ) => verifier.verify({ name, password: new Secret(password), address }, hash);
  const nobody = (password: string, name = 'nobody') =>
    verifier.verify({ name, password: new Secret(password), address: '192.0.2.1' }, undefined);
  return { clock, hasher, costs, login, nobody };
}

test('a right password is right without bcrypt until the time is over', async () => {
  const { clock, hasher, login } = situation();
  expect(await login('right')).toEqual(RIGHT);
  await clock.sleep(TTL - 1);
  expect(await login('right', { address: '2001:db8::1' })).toEqual(RIGHT);
  expect(hasher.asked).toHaveLength(1);
  await clock.sleep(1);
  expect(await login('right')).toEqual(RIGHT);
  expect(hasher.lanes).toEqual(['stranger', 'known']);
  await clock.sleep(24 * HOUR);
  expect(await login('right')).toEqual(RIGHT);
  expect(hasher.lanes).toEqual(['stranger', 'known', 'stranger']);
});

test('a wrong password is wrong without bcrypt, and counts once, until the time is over', async () => {
  const { clock, hasher, login } = situation();
  expect(await login('stale')).toEqual(WRONG);
  for (let count = 0; count < 100; count += 1) expect(await login('stale')).toEqual(WRONG_AGAIN);
  expect(hasher.asked).toHaveLength(1);
  expect(await login('right'), 'its address is not locked').toEqual(RIGHT);
  await clock.sleep(TTL);
  expect(await login('stale')).toEqual(WRONG);
  expect(hasher.lanes).toEqual(['stranger', 'stranger', 'stranger']);
});

test('another stored hash makes void what was remembered: right, wrong and known', async () => {
  const { hasher, login, nobody } = situation();
  await login('right');
  expect(await login('new')).toEqual(WRONG);
  expect(await login('right', { hash: CHANGED })).toEqual(WRONG);
  expect(await login('new', { hash: CHANGED })).toEqual(RIGHT);
  expect(await nobody('new', 'ada'), 'removed').toEqual(WRONG);
  expect(await login('right', { hash: STORED }), 'the old one is back').toEqual(RIGHT);
  expect(new Set(hasher.lanes)).toEqual(new Set(['stranger']));
});

test('what is remembered is for this name and this password, wherever one ends and the other begins', async () => {
  const { hasher, login } = situation();
  await login('right', { name: 'ada' });
  for (const [name, password] of [
    ['ad', 'aright'],
    ['adar', 'ight'],
    ['eve', 'wrong'],
    ['ada', ''],
    ['', 'adaright'],
  ] as const)
    expect(await login(password, { name })).toEqual(WRONG);
  expect(hasher.asked).toHaveLength(6);
});

test('the same login at the same time is one comparison and one failure', async () => {
  const { hasher, login } = situation();
  hasher.holds = true;
  const right = Array.from({ length: 5 }, () => login('right'));
  const wrong = Array.from({ length: 50 }, () => login('wrong'));
  hasher.release();
  expect(await Promise.all(right)).toEqual(Array.from({ length: 5 }, () => RIGHT));
  expect(await Promise.all(wrong)).toEqual([WRONG, ...Array.from({ length: 49 }, () => WRONG_AGAIN)]);
  expect(hasher.asked).toHaveLength(2);
  expect(await login('other')).toEqual(WRONG);
});

test('a comparison that failed is not remembered, neither for who joined', async () => {
  const { hasher, login } = situation();
  hasher.holds = true;
  hasher.broken = true;
  const both = Promise.allSettled([login('right'), login('right')]);
  hasher.release();
  expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  hasher.broken = false;
  expect(await login('right')).toEqual(RIGHT);
});

test('whoever finds no place is told so; it is no failure and not remembered', async () => {
  const { hasher, login } = situation();
  hasher.busy = true;
  for (let count = 0; count < 30; count += 1)
    expect(await login(`guess ${count}`)).toEqual({ kind: 'busy', seconds: 7 });
  hasher.busy = false;
  expect(await login('guess 0')).toEqual(WRONG);
});

test('an address that fails too often is not asked about any more, a new login from there neither', async () => {
  const { clock, hasher, login } = situation();
  for (let count = 0; count < 20; count += 1) await login('guess', { name: `user${count}` });
  expect(await login('right')).toEqual({ kind: 'throttled', seconds: 3 });
  expect(await login('guess', { name: 'user0' }), 'remembered').toEqual(WRONG_AGAIN);
  expect(await login('right', { address: '192.0.2.2' }), 'elsewhere').toEqual(RIGHT);
  expect(hasher.asked).toHaveLength(21);
  await clock.sleep(3_000);
  expect(await login('guess')).toEqual(WRONG);
  expect(await login('guess', { name: 'eve' })).toEqual({ kind: 'throttled', seconds: 3 });
});

test('an IPv6 address is counted with its whole /64', async () => {
  const { login } = situation();
  for (let count = 0; count < 20; count += 1)
    await login('guess', { name: `user${count}`, address: `2001:db8:0:1::${count}` });
  expect(await login('right', { address: '2001:db8:0:1:ffff::1' })).toMatchObject({ kind: 'throttled' });
  expect(await login('right', { address: '2001:db8:0:2::1' })).toEqual(RIGHT);
});

test('a name that is guessed from everywhere is throttled, its owner who is known is not', async () => {
  const { clock, hasher, login } = situation();
  await login('right', { address: '198.51.100.1' });
  await clock.sleep(TTL);
  for (let count = 0; count < 10; count += 1)
    await login(`guess ${count}`, { address: `203.0.113.${count}` });
  expect(await login('another', { address: '198.51.100.2' })).toEqual({ kind: 'throttled', seconds: 10 });
  expect(await login('right', { address: '198.51.100.1' })).toEqual(RIGHT);
  expect(hasher.lanes.at(-1)).toBe('known');
});

test('an origin whose logins failed is a suspect in the queue', async () => {
  const { hasher, login } = situation();
  await login('guess');
  await login('right');
  expect(hasher.asked.map(({ lane }) => lane)).toEqual([
    { kind: 'stranger', origin: '192.0.2.1', suspect: false },
    { kind: 'stranger', origin: '192.0.2.1', suspect: true },
  ]);
});

test('an unknown name is as much work as any, is remembered alike and throttled alike', async () => {
  const { hasher, costs, login, nobody } = situation();
  const work = (index: number) => {
    const { hash, padding } = hasher.asked[index]?.comparison ?? { hash: '', padding: [] };
    return [hash, ...padding].reduce((sum, each) => sum + 2 ** costOf(each), 0);
  };
  expect(await nobody('guess')).toEqual(WRONG);
  expect(await nobody('guess')).toEqual(WRONG_AGAIN);
  expect(await login('guess')).toEqual(WRONG);
  expect([work(0), work(1)]).toEqual([2 ** 8, 2 ** 8]);
  costs.highest = 10;
  await nobody('more');
  await login('more');
  expect([work(2), work(3)]).toEqual([2 ** 10, 2 ** 10]);
  for (let count = 2; count < 10; count += 1) await nobody(`guess ${count}`);
  expect(await nobody('guess 10')).toEqual({ kind: 'throttled', seconds: 10 });
});

test('the password of the dummy opens nothing', async () => {
  const { costs, nobody } = situation();
  costs.highest = costOf(STORED);
  expect(await nobody('right')).toEqual(WRONG);
});
