import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Outlook } from '../../src/certificates/outlook.ts';
import { assess, ensureCertificate, tend } from '../../src/certificates/renewal.ts';
import type { Generation } from '../../src/certificates/store.ts';
import { problem } from '../support/fault-rules.ts';
import { aPredecessor, moveWindowToThePast } from '../support/predecessor.ts';
import { makeRig, type Rig } from '../support/renewal-rig.ts';
import { sharedTime } from '../support/shared-time.ts';
import type { ShiftedClock } from '../support/shifted-clock.ts';

const silent = () => undefined;
const HOUR = 3_600_000;
const LIFETIME = 90 * 24 * HOUR;

let rig: Rig;
let clock: ShiftedClock;

beforeEach(async () => {
  rig = await makeRig({ profiles: { default: LIFETIME / 1000 } });
  clock = sharedTime(rig);
});

afterEach(() => rig.dispose());

function issueFirst(): Promise<Generation> {
  return aPredecessor(rig, { clock });
}

function look(): Promise<Outlook> {
  return assess(rig.parts({ clock }));
}

function shareOf({ certificate: { notBefore } }: Generation, due: Date | undefined): number {
  return ((due?.getTime() ?? Number.NaN) - notBefore.getTime()) / LIFETIME;
}

describe('fault 10: renewal information that makes no sense', () => {
  const window = (start: number, end: number) =>
    JSON.stringify({
      suggestedWindow: { start: new Date(Date.now() + start * HOUR), end: new Date(Date.now() + end * HOUR) },
    });

  test.each([
    { what: 'no JSON', answer: () => '<html>down for maintenance</html>' },
    { what: 'no window', answer: () => '{"suggestedWindow": {"start": "soon"}}' },
    { what: 'a window that ends before it starts', answer: () => window(-1, -2) },
    { what: 'a window after the certificate has expired', answer: () => window(91 * 24, 92 * 24) },
  ])('$what: ignored, the lifetime decides', async ({ answer }) => {
    // Pebble would suggest a window of its own for the certificate as soon as there is one.
    const nothing = rig.proxy.add({ on: 'renewalInfo', act: problem(404, 'malformed') });
    const generation = await issueFirst();
    const { renewalDue } = await look();
    expect(Math.abs(shareOf(generation, renewalDue) - 2 / 3)).toBeLessThanOrEqual(0.021);

    nothing.remove();
    await rig.pebble.setRenewalWindow(generation.chain, answer());
    clock.move(25 * HOUR);
    rig.proxy.requests.length = 0;
    const after = await look();
    expect(rig.proxy.seen('renewalInfo')).toHaveLength(1);
    expect(after).toMatchObject({ renewalDue, decision: { kind: 'keep' } });
    expect((await tend(rig.parts({ clock }), silent)).value).toEqual(generation);
  });

  test('a window that made sense before stays', async () => {
    const generation = await issueFirst();
    await rig.pebble.setRenewalWindow(generation.chain, window(100, 101));
    clock.move(25 * HOUR);
    const { renewalDue } = await look();
    await rig.pebble.setRenewalWindow(generation.chain, window(-1, -2));
    clock.move(25 * HOUR);
    expect(await look()).toMatchObject({ renewalDue, decision: { kind: 'keep' } });
  });
});

describe('fault 11: the window moves to the past', () => {
  async function moveToThePast(generation: Generation, unasked = 25 * HOUR): Promise<void> {
    await moveWindowToThePast(rig, generation);
    clock.move(unasked);
  }

  test('renewed once, naming the predecessor, and then left alone', async () => {
    const generation = await issueFirst();
    await moveToThePast(generation);
    const reasons: string[] = [];
    const { value, changed } = await tend(rig.parts({ clock }), (line) => reasons.push(line));
    expect(changed).toBe(true);
    expect(value?.certificate.fingerprint).not.toBe(generation.certificate.fingerprint);
    expect(reasons[0]).toContain('https://ca.example/incident');
    for (let ticks = 0; ticks < 3; ticks += 1) {
      clock.move(HOUR);
      expect((await tend(rig.parts({ clock }), silent)).value).toEqual(value);
    }
    expect(
      rig.proxy.seen('newOrder').map(({ payload, status }) => [typeof payload?.replaces, status]),
    ).toEqual([['string', 201]]);
  });

  test('at once also while earlier failures keep the next attempt waiting, but only once', async () => {
    const generation = await issueFirst();
    const outage = rig.proxy.add({ on: 'newOrder', act: problem(500, 'serverInternal') });
    // Four failures in a row: the next attempt is a day away.
    for (let each = 0; each < 4; each += 1) {
      await expect(ensureCertificate(rig.parts({ clock }), { force: true }, silent)).rejects.toThrow();
    }
    rig.proxy.requests.length = 0;
    await moveToThePast(generation, 7 * HOUR);
    const { failure } = await rig.parts({ clock }).state.read(clock.now());
    expect(failure?.nextAttempt.getTime()).toBeGreaterThan(clock.now().getTime());

    await expect(tend(rig.parts({ clock }), silent)).rejects.toThrow(/serverInternal/);
    const asked = rig.proxy.seen('newOrder').length;
    expect(asked).toBeGreaterThan(0);
    const { webServer } = rig.parts();
    await webServer.reload();
    expect((await tend(rig.parts({ clock, webServer }), silent)).summary).toMatch(/next attempt/);
    expect(rig.proxy.seen('newOrder')).toHaveLength(asked);

    outage.remove();
    clock.move(25 * HOUR);
    const { value } = await tend(rig.parts({ clock }), silent);
    expect(value?.certificate.fingerprint).not.toBe(generation.certificate.fingerprint);
  });
});

describe('fault 12: no renewal information for the certificate', () => {
  test('the moment to renew is the same over restarts, and it is kept', async () => {
    rig.proxy.add({ on: 'renewalInfo', act: problem(404, 'malformed') });
    const generation = await issueFirst();
    const { renewalDue } = await look();
    for (let restarts = 0; restarts < 3; restarts += 1) {
      clock.move(30 * HOUR);
      expect((await look()).renewalDue).toEqual(renewalDue);
    }
    expect(rig.proxy.seen('renewalInfo').length).toBeGreaterThanOrEqual(3);
    const left = (renewalDue?.getTime() ?? Number.NaN) - clock.now().getTime();
    clock.move(left - HOUR);
    expect((await tend(rig.parts({ clock }), silent)).value).toEqual(generation);
    clock.move(2 * HOUR);
    const { value } = await tend(rig.parts({ clock }), silent);
    expect(value?.certificate.fingerprint).not.toBe(generation.certificate.fingerprint);
  });
});
