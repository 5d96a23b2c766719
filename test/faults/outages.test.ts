import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RenewalParts } from '../../src/certificates/outlook.ts';
import { ensureCertificate } from '../../src/certificates/renewal.ts';
import { type Kind, problem } from '../support/fault-rules.ts';
import { listen } from '../support/listening.ts';
import { type Changes, NAME } from '../support/renewal-parts.ts';
import { makeRig, type Rig } from '../support/renewal-rig.ts';
import { sharedTime } from '../support/shared-time.ts';
import type { ShiftedClock } from '../support/shifted-clock.ts';

const silent = () => undefined;
const KINDS = [
  'directory',
  'newNonce',
  'newAccount',
  'newOrder',
  'authorization',
  'challenge',
  'order',
  'finalize',
  'certificate',
] as const;

let rig: Rig;
let clock: ShiftedClock;

beforeEach(async () => {
  rig = await makeRig();
  clock = sharedTime(rig);
});

afterEach(() => rig.dispose());

/** One attempt that has to succeed. */
async function expectIssued(parts: RenewalParts): Promise<void> {
  const { value, changed } = await ensureCertificate(parts, { force: false }, silent);
  expect(changed).toBe(true);
  expect(await parts.webServer.served(NAME)).toBe(value.certificate.fingerprint);
}

/** Orders that the CA took. */
function ordered(): number {
  return rig.proxy.seen('newOrder').filter(({ upstream }) => upstream === 201).length;
}

describe('fault 7: the CA answers 503', () => {
  test.each(KINDS)('three times to %s: it is asked again within the attempt', async (on) => {
    const outage = rig.proxy.add({ on, times: 3, act: problem(503, 'serverInternal') });
    await expectIssued(rig.parts({ clock }));
    expect(outage.applied()).toBe(3);
    expect(ordered()).toBe(1);
  });

  test.each<Kind>(['directory', 'newNonce', 'finalize'])(
    'for longer, to %s: the attempt fails, and the next goes on',
    async (on) => {
      // What answers a HEAD has no body that could say more (newNonce).
      const told = { blame: 'ca', problem: on === 'newNonce' ? 'http-503' : 'serverInternal' };
      const outage = rig.proxy.add({ on, act: problem(503, 'serverInternal') });
      await expect(ensureCertificate(rig.parts({ clock }), { force: false }, silent)).rejects.toMatchObject(
        told,
      );
      expect(outage.applied()).toBe(4);
      outage.remove();
      await expectIssued(rig.parts({ clock }));
      expect(ordered()).toBe(1);
    },
  );
});

describe('fault 8: the connection breaks', () => {
  test.each(KINDS)('before the CA hears of %s: it is sent again', async (on) => {
    const broken = rig.proxy.add({ on, times: 1, act: { kind: 'reset', moment: 'before' } });
    await expectIssued(rig.parts({ clock }));
    expect(broken.applied()).toBe(1);
    expect(ordered()).toBe(1);
  });

  test.each(KINDS)('after the CA has done %s: what it did is found again', async (on) => {
    const broken = rig.proxy.add({ on, times: 1, act: { kind: 'reset', moment: 'after' } });
    await expectIssued(rig.parts({ clock }));
    expect(broken.applied()).toBe(1);
    // The answer to an order that got lost has no URL that could be found again (RFC 8555 section 7.4).
    expect(ordered()).toBe(on === 'newOrder' ? 2 : 1);
    expect(await rig.pebble.issued()).toBe(1);
  });
});

describe('fault 9: a CA that swallows everything', () => {
  const patience: Changes = { timeout: 700 };
  const told = { blame: 'network', message: expect.stringContaining('no answer within 0.7 s') };

  test('the attempt ends by itself, and the old certificate stays served', async () => {
    const parts = rig.parts({ clock });
    await expectIssued(parts);
    const served = await parts.webServer.served(NAME);
    const hole = rig.proxy.add({ on: 'any', act: { kind: 'silence' } });
    const trying = rig.parts({ clock, ...patience, webServer: parts.webServer });
    await expect(ensureCertificate(trying, { force: true }, silent)).rejects.toMatchObject(told);
    expect(hole.applied()).toBe(4);
    expect(await parts.webServer.served(NAME)).toBe(served);
  });

  test('also when it falls silent in the middle, and the next attempt goes on with the same order', async () => {
    const hole = rig.proxy.add({ on: 'finalize', act: { kind: 'silence' } });
    await expect(
      ensureCertificate(rig.parts({ clock, ...patience }), { force: false }, silent),
    ).rejects.toMatchObject(told);
    hole.remove();
    await expectIssued(rig.parts({ clock }));
    expect(ordered()).toBe(1);
  });

  test('also when it takes connections and does not say a word on them', async () => {
    const server = createServer();
    const port = await listen(server);
    try {
      const parts = rig.parts({ clock, ...patience, directory: `https://localhost:${port}/dir` });
      await expect(ensureCertificate(parts, { force: false }, silent)).rejects.toMatchObject(told);
    } finally {
      server.close();
    }
  });
});
