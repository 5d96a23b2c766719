import { join } from 'node:path';
import { execa } from 'execa';
import { BUILT } from '../../src/images/catalog.ts';
import { paths } from '../../src/paths.ts';
import { eventually, systemClock } from '../../src/system/clock.ts';
import type { Checkout } from './checkout.ts';

const LISTENS = { within: 30_000, every: 50 };

/** What a stand-in tells of a request: see echo.mjs. */
export interface Told {
  /** The socket that the request came to. */
  readonly by: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
  readonly sha256: string;
  /** Bytes of all bodies since it was started, those included that are still coming. */
  readonly received: number;
  /** What a gate was last asked. */
  readonly question?: { readonly headers: Readonly<Record<string, string>> };
}

export interface StandIn {
  /** Goes, and leaves the place to the part again. */
  readonly leave: () => Promise<void>;
}

/** Takes the place of a part behind nginx, at its socket. */
export async function standInFor(checkout: Checkout, part: 'gate' | 'registry'): Promise<StandIn> {
  await checkout.compose('stop', part);
  const name = `${checkout.project}-in-place-of-${part}`;
  const script = join(paths().root, 'test/support/echo.mjs');
  const mounts = [`${checkout.project}_${part}-socket:/run/${part}`, `${script}:/echo.mjs:ro`];
  const volumes = mounts.flatMap((mount) => ['--volume', mount]);
  const container = ['--detach', '--init', '--name', name, '--network', 'none', ...volumes, BUILT.node];
  await execa('docker', ['run', ...container, 'node', '/echo.mjs', `/run/${part}/${part}.sock`]);
  const log = async () => (await execa('docker', ['logs', name])).stdout || undefined;
  if ((await eventually(systemClock, LISTENS, log)) === undefined) throw new Error(`${name} does not listen`);
  return {
    leave: async () => {
      await execa('docker', ['rm', '--force', name]);
      await checkout.compose('start', part);
    },
  };
}
