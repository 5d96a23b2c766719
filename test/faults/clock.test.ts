import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureCertificate, tend } from '../../src/certificates/renewal.ts';
import type { Generation } from '../../src/certificates/store.ts';
import { skewedClock } from '../support/fault-rules.ts';
import { aPredecessor } from '../support/predecessor.ts';
import { makeRig, type Rig } from '../support/renewal-rig.ts';
import { sharedTime } from '../support/shared-time.ts';

const silent = () => undefined;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let rig: Rig;

beforeEach(async () => {
  rig = await makeRig({ profiles: { brief: (3.5 * DAY) / 1000, long: (90 * DAY) / 1000 } });
});

afterEach(() => rig.dispose());

describe('fault 21: the clock', () => {
  test.each([
    { what: 'slow', hours: 2 },
    { what: 'fast', hours: -2 },
  ])('two hours $what: explained, and the CA is not asked for anything', async ({ hours }) => {
    const skewed = rig.proxy.add({ on: 'directory', act: skewedClock(hours * HOUR) });
    const parts = rig.parts({ profile: 'long' });
    await expect(ensureCertificate(parts, { force: false }, silent)).rejects.toMatchObject({
      code: 'clock-wrong',
      message: expect.stringMatching(
        /clock of this machine says .* that of the CA .* (2 hours|120 minutes) apart/,
      ),
      remedy: expect.stringContaining('timedatectl'),
    });
    expect(new Set(rig.proxy.requests.map(({ kind }) => kind))).toEqual(new Set(['directory']));
    expect((await parts.state.read(new Date())).failure?.blame).toBe('here');
    skewed.remove();
    await ensureCertificate(rig.parts({ profile: 'long' }), { force: false }, silent);
    expect(rig.proxy.seen('newOrder')).toHaveLength(1);
  });

  test('half an hour off is no reason to refuse', async () => {
    rig.proxy.add({ on: 'directory', act: skewedClock(HOUR / 2) });
    await ensureCertificate(rig.parts({ profile: 'long' }), { force: false }, silent);
    expect(rig.proxy.seen('newOrder')).toHaveLength(1);
  });

  test('the machine slept for three days: one renewal afterwards, not one for each tick that was missed', async () => {
    const clock = sharedTime(rig);
    const old = await aPredecessor(rig, { clock, profile: 'brief' });
    clock.move(3 * DAY);
    const late: (Generation | undefined)[] = [];
    for (let ticks = 0; ticks < 3; ticks += 1)
      late.push((await tend(rig.parts({ clock, profile: 'long' }), silent)).value);
    const [one, ...others] = late.map((generation) => generation?.certificate.fingerprint);
    expect(one).toBeDefined();
    expect(one).not.toBe(old.certificate.fingerprint);
    expect(others).toEqual([one, one]);
    expect(rig.proxy.seen('newOrder')).toHaveLength(1);
  });
});
