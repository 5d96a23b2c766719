import { lstat, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureCertificate } from '../../src/certificates/renewal.ts';
import { verifyPair } from '../../src/certificates/verify.ts';
import { paths } from '../../src/paths.ts';
import { oneThatIsDue } from '../support/predecessor.ts';
import { NAME } from '../support/renewal-parts.ts';
import { type Ending, renewalProcesses, type StartRenewal } from '../support/renewal-process.ts';
import { makeRig, type Rig } from '../support/renewal-rig.ts';
import { ShiftedClock } from '../support/shifted-clock.ts';

const silent = () => undefined;

let rig: Rig;
let folder: string;
let start: StartRenewal;

beforeAll(async () => {
  rig = await makeRig();
  folder = await mkdtemp(join(tmpdir(), 'moorage-killed-'));
  start = await renewalProcesses(folder);
});

afterAll(async () => {
  await rig.dispose();
  await rm(folder, { recursive: true });
});

/**
 * What a kill leaves is what is on the disk and what the CA knows. Each changes only at these points, so a kill before
 * one of them leaves what a kill after the one before it does.
 */
describe.each([
  { what: 'the first issuance', prepare: fromNothing },
  { what: 'a renewal', prepare: () => oneThatIsDue(rig, { clock: new ShiftedClock() }) },
])('fault 1: SIGKILL during $what', ({ prepare }) => {
  test('after each change of the file system', async () => {
    await atEachPoint(prepare, (change) => start({ place: rig.place, hurried: true, kill: change }).ended);
  });

  test('after each request that the CA has dealt with', async () => {
    await atEachPoint(prepare, killedAtRequest);
  });
});

/** One run after the other, each killed at a later point, until one gets through. */
async function atEachPoint(prepare: () => Promise<unknown>, run: (point: number) => Promise<Ending>) {
  for (let point = 1; ; point += 1) {
    await prepare();
    rig.proxy.requests.length = 0;
    const issued = await rig.pebble.issued();
    const ending = await run(point);
    const about = `point ${point}`;
    const known = await orderIsKnown();
    await expectWholeOrNothing(about);

    const parts = rig.parts({ clock: new ShiftedClock() });
    const { value } = await ensureCertificate(parts, { force: false }, silent);
    expect(await parts.webServer.served(NAME), about).toBe(value.certificate.fingerprint);
    await expectWholeOrNothing(about);
    expect(await rig.pebble.issued(), about).toBe(issued + 1);
    const ordered = rig.proxy.seen('newOrder').filter(({ upstream }) => upstream === 201).length;
    expect(ordered, about).toBeLessThanOrEqual(known ? 1 : 2);
    if (ending === 'completed') {
      expect(point).toBeGreaterThan(15); // else the points are not where the work is
      return;
    }
  }
}

/** The CA does what it was asked at the Nth request, and nobody hears of it. */
async function killedAtRequest(point: number): Promise<Ending> {
  const renewal = start({ place: rig.place, hurried: true });
  let count = 0;
  const when = () => {
    count += 1;
    return count === point;
  };
  const date = (before = '') => {
    renewal.kill();
    return before;
  };
  const rule = rig.proxy.add({ on: 'any', when, act: { kind: 'headers', set: { date } } });
  const ending = await renewal.ended;
  rule.remove();
  return ending;
}

async function fromNothing(): Promise<void> {
  await rm(paths(rig.place.root).state, { recursive: true, force: true });
}

async function orderIsKnown(): Promise<boolean> {
  const record = join(paths(rig.place.root).acme, 'first/order.json');
  return (await readFile(record, 'utf8').catch(() => '')).includes('"url"');
}

async function expectWholeOrNothing(about: string): Promise<void> {
  const current = join(paths(rig.place.root).certificates, 'current');
  if ((await lstat(current).catch(() => undefined)) === undefined) return;
  const [privateKey, chain] = [
    await readFile(join(current, 'privkey.pem'), 'utf8'),
    await readFile(join(current, 'fullchain.pem'), 'utf8'),
  ];
  expect(() => verifyPair({ privateKey, chain }, [NAME], new Date()), about).not.toThrow();
}
