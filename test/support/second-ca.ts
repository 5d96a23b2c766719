import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RenewalParts } from '../../src/certificates/outlook.ts';
import { FaultProxy } from './fault-proxy.ts';
import { startLocalPebble } from './local-pebble.ts';
import type { Pebble } from './pebble.ts';
import { type Changes, renewalAt } from './renewal-parts.ts';
import { makeRig, type Rig } from './renewal-rig.ts';
import { sharedTime } from './shared-time.ts';

/** Another CA that looks at the same web server: for rehearsals, or as a fallback. */
export interface SecondCa {
  readonly pebble: Pebble;
  readonly proxy: FaultProxy;
  /** The rig's parts, which trust both CAs. */
  readonly parts: (changes: Changes) => RenewalParts;
  readonly dispose: () => Promise<void>;
}

/** A rig with a second CA in reserve, both on one clock that the test moves. */
export async function makeRigWithFallback() {
  const rig = await makeRig();
  const second = await startSecondCa(rig);
  const clock = sharedTime(rig);
  const date = () => clock.now().toUTCString();
  second.proxy.add({ on: 'directory', act: { kind: 'headers', set: { date } } });
  return {
    rig,
    second,
    clock,
    parts: () => second.parts({ clock, fallback: second.proxy.directory }),
    dispose: async () => {
      await second.dispose();
      await rig.dispose();
    },
  };
}

export async function startSecondCa({ place }: Rig): Promise<SecondCa> {
  const pebble = await startLocalPebble({ httpPort: place.httpPort });
  const proxy = await FaultProxy.start(pebble);
  const trust = join(place.root, 'both.pem');
  await writeFile(trust, (await readFile(place.trust, 'utf8')) + (await readFile(pebble.trust, 'utf8')));
  return {
    pebble,
    proxy,
    parts: (changes) => renewalAt({ ...place, trust }, changes),
    dispose: async () => {
      await proxy.close();
      await pebble.dispose();
    },
  };
}
