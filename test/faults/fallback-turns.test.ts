import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RenewalParts } from '../../src/certificates/outlook.ts';
import { tend } from '../../src/certificates/renewal.ts';
import { problem, rateLimited } from '../support/fault-rules.ts';
import type { Rig } from '../support/renewal-rig.ts';
import { makeRigWithFallback, type SecondCa } from '../support/second-ca.ts';
import type { ShiftedClock } from '../support/shifted-clock.ts';

const silent = () => undefined;
const HOUR = 3_600_000;

let rig: Rig;
let second: SecondCa;
let clock: ShiftedClock;
let parts: () => RenewalParts;
let dispose: () => Promise<void>;

beforeEach(async () => {
  ({ rig, second, clock, parts, dispose } = await makeRigWithFallback());
});

afterEach(() => dispose());

function tick() {
  return tend(parts(), silent);
}

/** The daemon's ticks until so many attempts have failed. */
async function failTimes(count: number): Promise<void> {
  for (let each = 0; each < count; each += 1) {
    await expect(tick()).rejects.toMatchObject({ code: 'issuance-refused' });
    clock.move(2 * HOUR);
  }
}

test('a fallback that never works does not keep a CA that has recovered from being asked', async () => {
  const outage = rig.proxy.add({ on: 'newOrder', act: problem(500, 'serverInternal') });
  second.proxy.add({ on: 'newAccount', act: problem(403, 'externalAccountRequired') });
  await failTimes(4); // the fourth is the fallback's
  expect(second.proxy.seen('newAccount').length).toBeGreaterThan(0);
  outage.remove();
  const { value } = await tick();
  expect(value?.origin).toEqual({ issuer: 'acme', directory: rig.proxy.directory });
});

test('the limit of the first CA is kept while the fallback fails too, which is then asked again', async () => {
  const limit = rig.proxy.add({ on: 'newOrder', act: problem(500, 'serverInternal') });
  await failTimes(2);
  limit.remove();
  rig.proxy.add({ on: 'newOrder', act: rateLimited(72 * 3600) });
  await failTimes(1);
  const orders = rig.proxy.seen('newOrder').length;
  const outage = second.proxy.add({ on: 'newOrder', act: problem(500, 'serverInternal') });
  await failTimes(2);
  expect(rig.proxy.seen('newOrder')).toHaveLength(orders);
  outage.remove();
  const { value } = await tick();
  expect(value?.origin).toEqual({ issuer: 'acme', directory: second.proxy.directory });
});
