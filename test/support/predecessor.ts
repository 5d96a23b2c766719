import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { certificateIdentifier } from '../../src/acme/renewal-info.ts';
import { ensureCertificate } from '../../src/certificates/renewal.ts';
import type { Generation } from '../../src/certificates/store.ts';
import { paths } from '../../src/paths.ts';
import type { Changes } from './renewal-parts.ts';
import type { Rig } from './renewal-rig.ts';

const HOUR = 3_600_000;

/**
 * A certificate that Pebble knows again when an order names it as its predecessor: the one that is there, or a new one.
 * One in 256 it does not, and answers 500: where the DER of the serial number begins with a zero byte. The requests that
 * this took are forgotten.
 */
export async function aPredecessor(rig: Rig, changes: Changes = {}): Promise<Generation> {
  const { state } = paths(rig.place.root);
  for (;;) {
    const { value } = await ensureCertificate(rig.parts(changes), { force: false }, () => undefined);
    rig.proxy.requests.length = 0;
    const [, serial = ''] = certificateIdentifier(value.chain).split('.');
    if (Buffer.from(serial, 'base64url')[0] !== 0) return value;
    for (const name of await readdir(state)) await rm(join(state, name), { recursive: true });
  }
}

/** The same, and by the CA's own word it is due. */
export async function oneThatIsDue(rig: Rig, changes: Changes = {}): Promise<Generation> {
  const predecessor = await aPredecessor(rig, changes);
  await moveWindowToThePast(rig, predecessor);
  await rig.parts(changes).state.write({ failure: undefined, advice: undefined }); // it is time to ask again
  return predecessor;
}

export async function moveWindowToThePast({ pebble }: Rig, { chain }: Generation): Promise<void> {
  const [start, end] = [new Date(Date.now() - 2 * HOUR), new Date(Date.now() - HOUR)];
  await pebble.setRenewalWindow(chain, { start, end, explanationUrl: 'https://ca.example/incident' });
}
