import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { counted } from '../counted.ts';
import { messageOf } from '../errors.ts';
import { Cache, type Dropped } from '../mirror/cache.ts';
import { Relay } from '../mirror/relay.ts';
import { Upstream } from '../mirror/upstream.ts';
import { paths } from '../paths.ts';
import { environment } from '../settings/environment.ts';
import { loadSettings } from '../settings/load.ts';
import { systemClock } from '../system/clock.ts';

/** Where distribution looks for its upstream (compose/mirror.yaml), and nginx for what distribution has failed at. */
const PLACES = { port: 8080, socketPath: '/run/mirror/relay.sock' };
const BEAT = 5_000;
const SWEEP_EVERY = 10 * 60_000;
const DAY = 24 * 60 * 60_000;

export interface OpenRelay {
  close(): Promise<void>;
}

/** Puts the real parts of the relay together and opens it. */
export async function openRelay(log: (line: string) => void): Promise<OpenRelay> {
  const clock = systemClock;
  const { mirror, diskReserve } = await loadSettings(paths(), environment());
  if (mirror === undefined) throw new Error('without MIRROR_OF there is nothing to relay to');
  const upstream = new Upstream({ url: mirror.upstream, clock, ...mirror });
  const relay = new Relay({ upstream, now: clock.now, log });
  const cache = new Cache(mirror.dataDirectory, clock);
  const retention = { keep: mirror.keepDays * DAY, reserve: diskReserve };

  const tell = ({ blobs, bytes }: Dropped, why: string) => {
    if (blobs > 0) log(`${counted(blobs, 'blob')} with ${counted(bytes, 'byte')} dropped: ${why}`);
  };
  const ending = new AbortController();
  let nextSweep = 0;
  const sweep = async () => {
    if (nextSweep === 0) tell(await cache.dropBroken(), 'broken');
    if (clock.now().getTime() >= nextSweep) {
      tell(await cache.dropOld(retention), `older than ${counted(mirror.keepDays, 'day')}`);
      nextSweep = clock.now().getTime() + SWEEP_EVERY;
    }
    tell(await cache.dropForSpace(retention), 'the disk is short of space');
  };
  const beat = async () => {
    while (!ending.signal.aborted) {
      await writeFile(join(tmpdir(), 'alive'), ''); // the health check of the part looks at its age
      await sweep().catch((error) => log(`the cache can't be swept: ${messageOf(error)}`));
      await clock.sleep(BEAT, ending.signal).catch(() => undefined);
    }
  };
  const running = beat();
  await relay.listen(PLACES);
  return {
    close: async () => {
      ending.abort();
      await relay.close();
      await running;
      upstream.close();
    },
  };
}
