import { chmod, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureCertificate, tend } from '../../src/certificates/renewal.ts';
import type { Generation } from '../../src/certificates/store.ts';
import { systemCode } from '../../src/errors.ts';
import { paths } from '../../src/paths.ts';
import { type Mounted, mountReadOnly, mountSmallDisk } from '../support/mounts.ts';
import { oneThatIsDue } from '../support/predecessor.ts';
import { NAME } from '../support/renewal-parts.ts';
import { renewalProcesses, type StartRenewal } from '../support/renewal-process.ts';
import { makeRig, type Rig } from '../support/renewal-rig.ts';
import { ShiftedClock } from '../support/shifted-clock.ts';

const silent = () => undefined;
const PAGE = 4096;

let rig: Rig;
let state: string;

beforeEach(async () => {
  rig = await makeRig();
  state = paths(rig.place.root).state;
  await mkdir(state, { recursive: true });
});

afterEach(() => rig.dispose());

const hurried = () => ({ clock: new ShiftedClock() });

/** Orders that the CA took. */
function ordered(): number {
  return rig.proxy.seen('newOrder').filter(({ upstream }) => upstream === 201).length;
}

describe('fault 19: the disk fills up', () => {
  let folder: string;
  let start: StartRenewal;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'moorage-full-'));
    start = await renewalProcesses(folder);
  });

  afterEach(() => rm(folder, { recursive: true }));

  test('at each write in turn: said, what is on the disk stays whole, and with space the next run completes', async () => {
    for (let full = 1; ; full += 1) {
      const about = `write ${full}`;
      const old = await oneThatIsDue(rig, hurried());
      const issued = await rig.pebble.issued();
      rig.proxy.requests.length = 0;
      const ended = await start({ place: rig.place, hurried: true, full }).ended.catch(String);
      if (ended !== 'completed') expect(ended, about).toContain('ENOSPC');
      const left = await rig.parts().store.current();
      expect(left.kind, about).toBe('present');

      const parts = rig.parts(hurried());
      const { value } = await ensureCertificate(parts, { force: false }, silent);
      expect(await parts.webServer.served(NAME), about).toBe(value.certificate.fingerprint);
      expect(value.certificate.fingerprint, about).not.toBe(old.certificate.fingerprint);
      expect(await rig.pebble.issued(), about).toBe(issued + 1);
      expect(ordered(), about).toBeLessThanOrEqual(2);
      if (ended !== 'completed') continue;
      expect(full).toBeGreaterThan(15); // else the writes are not where the work is
      return;
    }
  });
});

describe('fault 19: a real disk is full', () => {
  let disk: Mounted;

  beforeEach(async () => {
    disk = await mountSmallDisk(state, 512);
  });

  afterEach(() => disk.unmount());

  test('with more and more left: said, the old certificate stays served, and with space the next run completes', async () => {
    const { webServer } = rig.parts();
    const ballast = join(state, 'ballast');
    let failures = 0;
    for (let pages = 0; ; pages += 1) {
      const about = `${pages} pages left`;
      const old = await oneThatIsDue(rig, hurried());
      await ensureServed(old);
      rig.proxy.requests.length = 0;
      const issued = await rig.pebble.issued();
      await fillUp(ballast, pages);
      const error: unknown = await ensureCertificate(
        rig.parts({ ...hurried(), webServer }),
        { force: false },
        silent,
      ).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error !== undefined) {
        failures += 1;
        expect(String(error), about).toContain('ENOSPC');
        expect(await webServer.served(NAME), about).toBe(old.certificate.fingerprint);
      }
      await rm(ballast);
      const parts = rig.parts({ ...hurried(), webServer });
      const { value } = await ensureCertificate(parts, { force: false }, silent);
      expect(await webServer.served(NAME), about).toBe(value.certificate.fingerprint);
      expect(value.certificate.fingerprint, about).not.toBe(old.certificate.fingerprint);
      expect(await rig.pebble.issued(), about).toBe(issued + 1);
      expect(ordered(), about).toBeLessThanOrEqual(2);
      if (error === undefined) break;
    }
    expect(failures).toBeGreaterThan(2); // else the disk was not full where the work is

    async function ensureServed({ certificate }: Generation): Promise<void> {
      if ((await webServer.served(NAME)) !== certificate.fingerprint) await webServer.reload();
    }
  });
});

describe('fault 20: a state directory that can’t be written to', () => {
  test('read-only: said before the CA is asked, and the old certificate stays served', async () => {
    const old = await oneThatIsDue(rig, hurried());
    const { webServer } = rig.parts();
    await webServer.reload();
    rig.proxy.requests.length = 0;
    const mounted = await mountReadOnly(state);
    try {
      for (const attempt of [
        () => ensureCertificate(rig.parts({ webServer }), { force: false }, silent),
        () => tend(rig.parts({ webServer }), silent),
      ]) {
        await expect(attempt()).rejects.toSatisfy((error) => systemCode(error) === 'EROFS');
      }
      expect(rig.proxy.requests).toEqual([]);
      expect(await webServer.served(NAME)).toBe(old.certificate.fingerprint);
    } finally {
      await mounted.unmount();
    }
    const { value } = await tend(rig.parts({ webServer }), silent);
    expect(await webServer.served(NAME)).toBe(value?.certificate.fingerprint);
    expect(value?.certificate.fingerprint).not.toBe(old.certificate.fingerprint);
  });

  test('somebody else’s: said before the CA is asked', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'moorage-stranger-'));
    try {
      const start = await renewalProcesses(folder);
      for (const open of [folder, rig.place.root, state]) await chmod(open, 0o755);
      const trust = join(folder, 'trust.pem');
      await writeFile(trust, rig.pebble.ca.certificate);
      const renewal = start({ place: { ...rig.place, trust } }, { uid: NOBODY });
      await expect(renewal.ended).rejects.toThrow(/EACCES/);
      expect(rig.proxy.requests).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

const NOBODY = 65_534;

/** Leaves so many pages of the disk free. */
async function fillUp(ballast: string, pages: number): Promise<void> {
  const fill = Buffer.alloc(PAGE);
  let size = 0;
  for (;;) {
    try {
      await writeFile(ballast, fill, { flag: 'a' });
      size += PAGE;
    } catch (error) {
      if (systemCode(error) !== 'ENOSPC') throw error;
      break;
    }
  }
  await truncate(ballast, Math.max(0, size - pages * PAGE));
}
