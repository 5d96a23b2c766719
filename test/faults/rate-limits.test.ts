import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureCertificate, tend } from '../../src/certificates/renewal.ts';
import { rateLimited } from '../support/fault-rules.ts';
import { aPredecessor, oneThatIsDue } from '../support/predecessor.ts';
import { NAME } from '../support/renewal-parts.ts';
import { makeRig, type Rig } from '../support/renewal-rig.ts';
import { sharedTime } from '../support/shared-time.ts';
import type { ShiftedClock } from '../support/shifted-clock.ts';

const silent = () => undefined;
const HOUR = 3_600_000;
const gently = { force: false };
const forced = { force: true };

let rig: Rig;
let clock: ShiftedClock;

beforeEach(async () => {
  rig = await makeRig();
  clock = sharedTime(rig);
});

afterEach(() => rig.dispose());

/** What is open at the CA counts: what anybody may ask for does not. */
function counted() {
  return rig.proxy.requests.filter(({ kind }) => kind !== 'directory' && kind !== 'renewalInfo');
}

async function nextAttempt(): Promise<number> {
  const { failure } = await rig.parts({ clock }).state.read(clock.now());
  return (failure?.nextAttempt.getTime() ?? Number.NaN) - clock.now().getTime();
}

describe.each([
  { fault: 'fault 5: 429 with Retry-After 36 h', retryAfter: () => 36 * 3600 },
  { fault: 'fault 6: 429 with a date', retryAfter: () => new Date(clock.now().getTime() + 36 * HOUR) },
])('$fault', ({ retryAfter }) => {
  test('before the first certificate: nothing is sent until then, by whomever and over restarts; then it works', async () => {
    const limit = rig.proxy.add({ on: 'newOrder', act: rateLimited(retryAfter()) });
    const refused = { blame: 'limit', problem: 'rateLimited' };
    await expect(ensureCertificate(rig.parts({ clock }), gently, silent)).rejects.toMatchObject(refused);
    expect(limit.applied()).toBe(1);
    expect(Math.abs((await nextAttempt()) - 36 * HOUR)).toBeLessThan(60_000);

    limit.remove();
    rig.proxy.requests.length = 0;
    clock.move(35 * HOUR);
    await expect(ensureCertificate(rig.parts({ clock }), gently, silent)).rejects.toMatchObject(refused);
    await expect(ensureCertificate(rig.parts({ clock }), forced, silent)).rejects.toMatchObject(refused);
    expect((await tend(rig.parts({ clock }), silent)).value).toBeUndefined();
    expect(rig.proxy.requests).toEqual([]);

    clock.move(2 * HOUR);
    const parts = rig.parts({ clock });
    const { value } = await tend(parts, silent);
    expect(await parts.webServer.served(NAME)).toBe(value?.certificate.fingerprint);
    expect(value).toBeDefined();
  });

  test('at a renewal: the old one stays served, and nothing that counts is sent until then', async () => {
    const parts = rig.parts({ clock });
    const old = await oneThatIsDue(rig, { clock, webServer: parts.webServer });
    const limit = rig.proxy.add({ on: 'newOrder', act: rateLimited(retryAfter()) });
    await expect(tend(parts, silent)).rejects.toMatchObject({ blame: 'limit' });

    limit.remove();
    rig.proxy.requests.length = 0;
    for (const pause of [1 / 60, 10, 24]) {
      clock.move(pause * HOUR);
      const { summary } = await tend(rig.parts({ clock, webServer: parts.webServer }), silent);
      expect(summary).toMatch(/next attempt/);
      expect(await parts.webServer.served(NAME)).toBe(old.certificate.fingerprint);
    }
    await expect(ensureCertificate(rig.parts({ clock }), forced, silent)).rejects.toMatchObject({
      blame: 'limit',
    });
    expect(counted()).toEqual([]);

    clock.move(3 * HOUR);
    const { value } = await tend(rig.parts({ clock }), silent);
    expect(value?.certificate.fingerprint).not.toBe(old.certificate.fingerprint);
  });
});

test('a limit that a person ran into with a certificate that is not due is not forgotten by the daemon', async () => {
  const parts = rig.parts({ clock });
  await ensureCertificate(parts, gently, silent);
  const limit = rig.proxy.add({ on: 'newOrder', act: rateLimited(36 * 3600) });
  const refused = { blame: 'limit', problem: 'rateLimited' };
  await expect(ensureCertificate(parts, forced, silent)).rejects.toMatchObject(refused);
  expect(limit.applied()).toBe(1);
  await tend(parts, silent);
  await expect(ensureCertificate(parts, forced, silent)).rejects.toMatchObject(refused);
  expect(limit.applied()).toBe(1);

  limit.remove();
  clock.move(37 * HOUR);
  await tend(parts, silent);
  expect((await parts.state.read(clock.now())).failure).toBeUndefined();
});

test.each(['challenge', 'authorization'] as const)(
  'a limit without a problem document, at %s, is a limit all the same, and the order goes on after it',
  async (on) => {
    const headers = { 'retry-after': String(2 * 3600) };
    const limit = rig.proxy.add({ on, act: { kind: 'answer', status: 429, body: 'slow down', headers } });
    await expect(ensureCertificate(rig.parts({ clock }), gently, silent)).rejects.toMatchObject({
      blame: 'limit',
    });
    expect(Math.abs((await nextAttempt()) - 2 * HOUR)).toBeLessThan(60_000);
    limit.remove();
    clock.move(2.1 * HOUR);
    const { changed } = await ensureCertificate(rig.parts({ clock }), gently, silent);
    expect(changed).toBe(true);
    expect(rig.proxy.seen('newOrder')).toHaveLength(1);
  },
);

test('a CA that wants to be left alone for a month is asked again after a week, and not before', async () => {
  rig.proxy.add({ on: 'newOrder', act: rateLimited(30 * 24 * 3600) });
  await expect(tend(rig.parts({ clock }), silent)).rejects.toMatchObject({ blame: 'limit' });
  for (const hours of [1, 24, 6 * 24 - 2]) {
    clock.move(hours * HOUR);
    await tend(rig.parts({ clock }), silent);
  }
  expect(rig.proxy.seen('newOrder')).toHaveLength(1);
  clock.move(2 * HOUR);
  await expect(tend(rig.parts({ clock }), silent)).rejects.toMatchObject({ blame: 'limit' });
});

describe('a known limit is never broken', () => {
  const WEEK = { within: 7 * 24 * HOUR };
  const plenty = { count: 100, ...WEEK };
  const limits = {
    sameNames: { count: 2, ...WEEK },
    certificates: plenty,
    orders: plenty,
    failedValidations: { count: 1, within: HOUR },
  };

  test('the order that would be too many is not sent, not by force either, until there is room again', async () => {
    // Without renewal information nothing is exempt.
    rig.proxy.add({
      on: 'directory',
      act: { kind: 'rewrite', body: ({ renewalInfo, ...directory }) => directory },
    });
    for (let each = 0; each < 2; each += 1)
      await ensureCertificate(rig.parts({ clock, limits }), forced, silent);
    expect(rig.proxy.seen('newOrder')).toHaveLength(2);
    const told = {
      blame: 'limit',
      message: expect.stringContaining('2 of 2 certificates for exactly these names'),
    };
    for (let each = 0; each < 2; each += 1) {
      await expect(ensureCertificate(rig.parts({ clock, limits }), forced, silent)).rejects.toMatchObject(
        told,
      );
      clock.move(24 * HOUR);
    }
    expect(rig.proxy.seen('newOrder')).toHaveLength(2);
    clock.move(6 * 24 * HOUR);
    await ensureCertificate(rig.parts({ clock, limits }), forced, silent);
    expect(rig.proxy.seen('newOrder')).toHaveLength(3);
  });

  test('a renewal that names its predecessor does not count', async () => {
    for (let each = 0; each < 3; each += 1) {
      await aPredecessor(rig, { clock });
      await ensureCertificate(rig.parts({ clock, limits }), forced, silent);
      expect(rig.proxy.seen('newOrder').map(({ status }) => status)).toEqual([201]);
    }
  });

  test('after the last failed validation that is allowed, none is risked for an hour', async () => {
    await rig.pebble.setAddress(NAME, '127.0.0.9');
    await expect(ensureCertificate(rig.parts({ clock, limits }), gently, silent)).rejects.toMatchObject({
      blame: 'validation',
    });
    await rig.pebble.setAddress(NAME, '127.0.0.1');
    await expect(ensureCertificate(rig.parts({ clock, limits }), forced, silent)).rejects.toMatchObject({
      blame: 'limit',
      message: expect.stringContaining('1 of 1 failed validations of a name'),
    });
    expect(rig.proxy.seen('newOrder')).toHaveLength(1);
    clock.move(1.1 * HOUR);
    await ensureCertificate(rig.parts({ clock, limits }), forced, silent);
    expect(rig.proxy.seen('newOrder')).toHaveLength(2);
  });
});
