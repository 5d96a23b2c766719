import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureCertificate, tend } from '../../src/certificates/renewal.ts';
import { oneThatIsDue } from '../support/predecessor.ts';
import { NAME } from '../support/renewal-parts.ts';
import { renewalProcesses } from '../support/renewal-process.ts';
import { makeRig, type Rig } from '../support/renewal-rig.ts';

const silent = () => undefined;

let rig: Rig;

beforeEach(async () => {
  rig = await makeRig();
});

afterEach(() => rig.dispose());

describe('fault 22: two daemons and the command at once', () => {
  test('one order for all, at the first issuance and at a renewal', async () => {
    const { webServer } = rig.parts();
    const all = async () => {
      const done = await Promise.all([
        tend(rig.parts({ webServer }), silent),
        ensureCertificate(rig.parts({ webServer }), { force: false }, silent),
        tend(rig.parts({ webServer }), silent),
      ]);
      expect(done.filter(({ changed }) => changed)).toHaveLength(1);
      const fingerprints = new Set(done.map(({ value }) => value?.certificate.fingerprint));
      expect(fingerprints).toEqual(new Set([await webServer.served(NAME)]));
      return done[1].value;
    };
    await all();
    expect(rig.proxy.seen('newOrder')).toHaveLength(1);

    const due = await oneThatIsDue(rig, { webServer });
    const issued = await rig.pebble.issued();
    const renewed = await all();
    expect(renewed.certificate.fingerprint).not.toBe(due.certificate.fingerprint);
    expect(rig.proxy.seen('newOrder')).toHaveLength(1);
    expect(await rig.pebble.issued()).toBe(issued + 1);
  });

  test('one order also when they are processes of their own', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'moorage-together-'));
    try {
      const start = await renewalProcesses(folder);
      const { place } = rig;
      const renewals = [start({ place, daemon: true }), start({ place }), start({ place, daemon: true })];
      expect(await Promise.all(renewals.map(({ ended }) => ended))).toEqual(Array(3).fill('completed'));
      expect(rig.proxy.seen('newOrder')).toHaveLength(1);
      expect(await rig.pebble.issued()).toBe(1);
      expect(await rig.parts().store.current()).toMatchObject({ kind: 'present' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
