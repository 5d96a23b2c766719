import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Paths } from '../../paths.ts';
import { MOVE_FILE } from '../../stack/moved.ts';
import { holdsLease } from '../../stack/writes.ts';
import { type Clock, eventually } from '../../system/clock.ts';
import { whoHolds } from '../../system/lock.ts';
import type { Wait } from '../path/stay.ts';

const LEASE = '.lease';
const ASK_AGAIN = 1_000;

/**
 * Waits until a client would not be turned away for what is being done here: parts are replaced, or writes closed. Whoever
 * is still at it in the end is not waited for.
 * @returns what is left of the patience
 */
export async function awaitQuiet(
  { paths, clock }: { readonly paths: Pick<Paths, 'state' | 'maintenance'>; readonly clock: Clock },
  { patience, onWait }: Wait,
): Promise<Wait> {
  const begun = clock.now().getTime();
  await eventually(clock, { within: patience, every: ASK_AGAIN }, async () => {
    const who = await atWork(paths, clock);
    if (who !== undefined) onWait(`waiting: ${who}`);
    return who === undefined ? true : undefined;
  });
  return { patience: Math.max(0, patience - (clock.now().getTime() - begun)), onWait };
}

/** init-tls, and with its lock upgrade, restore and storage; or whoever has closed writes. */
async function atWork(
  { state, maintenance }: Pick<Paths, 'state' | 'maintenance'>,
  clock: Clock,
): Promise<string | undefined> {
  const replacing = await whoHolds(join(state, 'locks', 'init-tls'), clock);
  if (replacing !== undefined) return replacing;
  const names = await readdir(maintenance).catch((): string[] => []);
  for (const name of names) {
    // That it has moved away is no work that ends.
    if (!name.endsWith(LEASE) || MOVE_FILE.endsWith(`/${name}`)) continue;
    const holder = name.slice(0, -LEASE.length);
    if (await holdsLease({ maintenance }, holder, clock.now()))
      return `${holder} has closed writes for a while.`;
  }
  return undefined;
}
