import type { Listeners, Log } from '../certificates/keeper.ts';
import { messageOf } from '../errors.ts';
import { pruneDaily } from '../retention/daily.ts';
import type { Settings } from '../settings/settings.ts';
import { watchedDisk } from '../stack/image-disk.ts';
import { readMove } from '../stack/moved.ts';
import { type App, openAlerter } from './app.ts';
import { clearInterrupted } from './collection.ts';
import { writeRenewalMetrics } from './metrics.ts';
import { dailyPrune } from './prune.ts';
import { openDiskNotes } from './usage.ts';

/** Has alerts and metrics follow how things stand with the certificate and the disk. */
export function openListeners(app: App, settings: Settings, log: Log): Listeners {
  const alerter = openAlerter(app, settings);
  const failing = (what: string) => (error: unknown) => log(`${what}: ${messageOf(error)}`);
  return {
    log,
    tell: async (standing) => {
      await writeRenewalMetrics(app, settings, standing).catch(failing("the metrics can't be written"));
      const disk = (await watchedDisk(settings).catch(failing('no look at the disk'))) ?? undefined;
      return alerter?.look({ domain: settings.domain, ...standing, disk }) ?? [];
    },
  };
}

/** What the daemon does at each tick beside the certificate. Nothing of it ends the daemon, or keeps the rest from its turn. */
export function openChores(app: App, settings: Settings, log: Log): () => Promise<void> {
  const noteDisk = openDiskNotes(app, settings);
  return async () => {
    const pruned = await pruneHere(app, settings).catch((error) => [
      `no look at retention.yaml: ${messageOf(error)}`,
    ]);
    const cleared = await clearInterrupted(app).catch(messageOf);
    for (const line of [...pruned, ...(cleared === undefined ? [] : [cleared])]) log(line);
    await noteDisk();
  };
}

/** Where the registry has moved to another machine, the daemon there does it. */
async function pruneHere(app: App, settings: Settings): Promise<readonly string[]> {
  return (await readMove(app.paths)) === undefined ? pruneDaily(dailyPrune(app, settings)) : [];
}
