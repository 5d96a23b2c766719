import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { ensureCertificate } from '../../src/certificates/renewal.ts';
import { paths } from '../../src/paths.ts';
import { NAME } from '../support/renewal-parts.ts';
import { makeRig, type Rig } from '../support/renewal-rig.ts';
import { ShiftedClock } from '../support/shifted-clock.ts';

const silent = () => undefined;

let rig: Rig;

afterEach(() => rig.dispose());

describe('fault 2: nine nonces in ten are refused', () => {
  test('the certificate comes all the same, with one order', async () => {
    rig = await makeRig({ env: { PEBBLE_WFE_NONCEREJECT: '90' } });
    const parts = rig.parts();
    const { value } = await ensureCertificate(parts, { force: false }, silent);
    expect(await parts.webServer.served(NAME)).toBe(value.certificate.fingerprint);
    expect(rig.proxy.requests.some(({ status }) => status === 400)).toBe(true);
    expect(rig.proxy.seen('newOrder').filter(({ status }) => status === 201)).toHaveLength(1);
  });
});

describe('fault 3: whether authorizations are used again', () => {
  test.each([
    { reuse: '100', told: 1 },
    { reuse: '0', told: 2 },
  ])(
    'reused with a chance of $reuse %, the CA is asked to look $told times in two issuances',
    async (each) => {
      rig = await makeRig({ env: { PEBBLE_AUTHZREUSE: each.reuse } });
      const first = await ensureCertificate(rig.parts(), { force: false }, silent);
      const second = await ensureCertificate(rig.parts(), { force: true }, silent);
      expect(second.value.certificate.fingerprint).not.toBe(first.value.certificate.fingerprint);
      expect(rig.proxy.seen('challenge')).toHaveLength(each.told);
      expect(await rig.pebble.issued()).toBe(2);
    },
  );
});

describe('fault 4: a CA that does not decide', () => {
  test('the attempt ends after 90 s without a token left behind, and the next goes on with the same order', async () => {
    rig = await makeRig();
    const clock = new ShiftedClock();
    const pending = rig.proxy.add({
      on: 'authorization',
      act: { kind: 'rewrite', body: (authorization) => ({ ...authorization, status: 'pending' }) },
    });
    const begun = clock.now().getTime();
    await expect(ensureCertificate(rig.parts({ clock }), { force: false }, silent)).rejects.toMatchObject({
      blame: 'ca',
      message: expect.stringContaining('the CA did not decide within 90 s'),
    });
    expect(clock.now().getTime() - begun).toBeGreaterThanOrEqual(90_000);
    expect(await readdir(join(paths(rig.place.root).challenges, '.well-known/acme-challenge'))).toEqual([]);

    pending.remove();
    const parts = rig.parts({ clock });
    const { value } = await ensureCertificate(parts, { force: false }, silent);
    expect(await parts.webServer.served(NAME)).toBe(value.certificate.fingerprint);
    expect(rig.proxy.seen('newOrder')).toHaveLength(1);
    expect((await parts.state.read(clock.now())).failure).toBeUndefined();
  });
});
