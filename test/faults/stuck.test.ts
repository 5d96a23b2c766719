import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureCertificate, tend } from '../../src/certificates/renewal.ts';
import { problem } from '../support/fault-rules.ts';
import { makeRig, type Rig } from '../support/renewal-rig.ts';
import { sharedTime } from '../support/shared-time.ts';
import type { ShiftedClock } from '../support/shifted-clock.ts';

const silent = () => undefined;
const HOUR = 3_600_000;

let rig: Rig;
let clock: ShiftedClock;

beforeEach(async () => {
  rig = await makeRig();
  clock = sharedTime(rig);
});

afterEach(() => rig.dispose());

test('an order that the CA never brings to an end is given up: after a few tries it is asked for another', async () => {
  const stuck = new Set<string>();
  rig.proxy.add({
    on: 'order',
    when: ({ path }) => (stuck.size === 0 || stuck.has(path) ? Boolean(stuck.add(path)) : false),
    act: { kind: 'rewrite', body: (order) => ({ ...order, status: 'processing' }) },
  });
  for (let tries = 0; tries < 4; tries += 1) {
    await expect(tend(rig.parts({ clock }), silent)).rejects.toMatchObject({ blame: 'ca' });
    clock.move(2 * HOUR);
  }
  expect(rig.proxy.seen('newOrder')).toHaveLength(1);
  const { value } = await tend(rig.parts({ clock }), silent);
  expect(value).toBeDefined();
  expect(rig.proxy.seen('newOrder')).toHaveLength(2);
});

test('a CA whose advice is always in the past is not asked for certificate after certificate', async () => {
  const { value: first } = await ensureCertificate(rig.parts({ clock }), { force: false }, silent);
  const past = { start: new Date(Date.now() - 2 * HOUR), end: new Date(Date.now() - HOUR) };
  rig.proxy.add({ on: 'renewalInfo', act: { kind: 'answer', status: 200, body: { suggestedWindow: past } } });
  clock.move(25 * HOUR);
  const { value: second } = await tend(rig.parts({ clock }), silent);
  expect(second).not.toEqual(first);
  for (let hours = 0; hours < 20; hours += 1) {
    clock.move(HOUR);
    expect((await tend(rig.parts({ clock }), silent)).value).toEqual(second);
  }
  expect(rig.proxy.seen('newOrder')).toHaveLength(2);
});

test('a 429 without a problem document at newOrder is a limit: the order is not sent once more without extras', async () => {
  const { value: first } = await ensureCertificate(rig.parts({ clock }), { force: false }, silent);
  const past = { start: new Date(Date.now() - 2 * HOUR), end: new Date(Date.now() - HOUR) };
  await rig.pebble.setRenewalWindow(first.chain, past);
  clock.move(25 * HOUR);
  rig.proxy.add({ on: 'newOrder', act: { kind: 'answer', status: 429, body: 'slow down' } });
  await expect(tend(rig.parts({ clock }), silent)).rejects.toMatchObject({ blame: 'limit' });
  expect(rig.proxy.seen('newOrder').filter(({ status }) => status === 429)).toHaveLength(1);
});

test('a 429 without a problem document at an order that was begun does not lead to another order', async () => {
  const outage = rig.proxy.add({ on: 'authorization', act: problem(500, 'serverInternal') });
  await expect(tend(rig.parts({ clock }), silent)).rejects.toThrow();
  outage.remove();
  clock.move(HOUR);
  rig.proxy.add({ on: 'order', act: { kind: 'answer', status: 429, body: 'slow down' } });
  await expect(tend(rig.parts({ clock }), silent)).rejects.toMatchObject({ blame: 'limit' });
  expect(rig.proxy.seen('newOrder')).toHaveLength(1);
});
