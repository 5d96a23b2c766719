import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RenewalParts } from '../../src/certificates/outlook.ts';
import { paths } from '../../src/paths.ts';
import { FaultProxy } from './fault-proxy.ts';
import { startLocalPebble } from './local-pebble.ts';
import type { Pebble } from './pebble.ts';
import type { CaOptions } from './pebble-config.ts';
import { type Changes, type Place, renewalAt } from './renewal-parts.ts';
import { serveWebroot } from './webroot-server.ts';

/** A renewal on a real CA with a proxy for faults in front of it; nginx alone is played, by what it would read. */
export interface Rig {
  readonly place: Place;
  readonly pebble: Pebble;
  readonly proxy: FaultProxy;
  readonly parts: (changes?: Changes) => RenewalParts;
  readonly dispose: () => Promise<void>;
}

export async function makeRig(options: CaOptions = {}): Promise<Rig> {
  const root = await mkdtemp(join(tmpdir(), 'moorage-rig-'));
  const web = await serveWebroot(paths(root).challenges);
  const pebble = await startLocalPebble({ httpPort: web.port, ...options });
  const proxy = await FaultProxy.start(pebble);
  const place = { root, directory: proxy.directory, trust: proxy.trust, httpPort: web.port };
  return {
    place,
    pebble,
    proxy,
    parts: (changes) => renewalAt(place, changes),
    dispose: async () => {
      await proxy.close();
      await pebble.dispose();
      await web.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
