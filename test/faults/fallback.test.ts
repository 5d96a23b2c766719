import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RenewalParts } from '../../src/certificates/outlook.ts';
import { ensureCertificate, tend } from '../../src/certificates/renewal.ts';
import { problem, rateLimited } from '../support/fault-rules.ts';
import type { Rig } from '../support/renewal-rig.ts';
import { makeRigWithFallback, type SecondCa } from '../support/second-ca.ts';
import type { ShiftedClock } from '../support/shifted-clock.ts';

const silent = () => undefined;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let rig: Rig;
let second: SecondCa;
let clock: ShiftedClock;
let parts: () => RenewalParts;
let dispose: () => Promise<void>;

beforeEach(async () => {
  ({ rig, second, clock, parts, dispose } = await makeRigWithFallback());
});

afterEach(() => dispose());

test('after three failures of the CA the fallback is asked, and at the next renewal the CA again', async () => {
  const outage = rig.proxy.add({ on: 'newOrder', act: problem(500, 'serverInternal') });
  for (const pause of [2 * MINUTE, 15 * MINUTE, 2 * HOUR]) {
    await expect(tend(parts(), silent)).rejects.toMatchObject({ blame: 'ca' });
    clock.move(pause);
  }
  expect(second.proxy.requests.filter(({ kind }) => kind !== 'directory')).toEqual([]);
  const { value: standIn } = await tend(parts(), silent);
  expect(standIn?.origin).toEqual({ issuer: 'acme', directory: second.proxy.directory });

  outage.remove();
  expect((await tend(parts(), silent)).value).toEqual(standIn); // it is as good as the other's until it is due
  const [start, end] = [new Date(Date.now() - 2 * HOUR), new Date(Date.now() - HOUR)];
  await second.pebble.setRenewalWindow(standIn?.chain ?? '', { start, end });
  clock.move(25 * HOUR);
  const { value: back } = await tend(parts(), silent);
  expect(back?.origin).toEqual({ issuer: 'acme', directory: rig.proxy.directory });
  expect(second.proxy.seen('newOrder')).toHaveLength(1);
  // Another CA's certificate is no predecessor that it would know.
  expect(rig.proxy.seen('newOrder').at(-1)?.payload).not.toHaveProperty('replaces');
});

test('a name that the CA can’t see is not tried at the fallback', async () => {
  await rig.pebble.setAddress('registry.moorage.example', '127.0.0.9');
  for (let each = 0; each < 4; each += 1) {
    await expect(ensureCertificate(parts(), { force: false }, silent)).rejects.toMatchObject({
      blame: 'validation',
    });
  }
  expect(second.proxy.seen('newOrder')).toEqual([]);
});

test('a limit of the CA does not hold back the fallback when time runs short', async () => {
  const { value: first } = await tend(parts(), silent);
  if (first === undefined) throw new Error('nothing was issued');
  const { notBefore, notAfter } = first.certificate;
  clock.move((notAfter.getTime() - notBefore.getTime()) * 0.9);
  rig.proxy.add({ on: 'newOrder', act: rateLimited(36 * 3600) });
  await expect(tend(parts(), silent)).rejects.toMatchObject({ blame: 'limit' });
  const asked = rig.proxy.seen('newOrder').length;
  clock.move(2 * MINUTE);
  const { value: standIn } = await tend(parts(), silent);
  expect(standIn?.origin).toEqual({ issuer: 'acme', directory: second.proxy.directory });
  expect(rig.proxy.seen('newOrder')).toHaveLength(asked);
});
