import type { Settings } from '../settings/settings.ts';
import { imageDisk, watchedDisk } from '../stack/image-disk.ts';
import { tellOfDisk } from '../usage/disk-events.ts';
import { UsageLog } from '../usage/usage-log.ts';
import { type App, openEvents } from './app.ts';

/** Has the images' disk in the forecast's samples, and among the events when pushes begin or cease to be refused. Never fails. */
export function openDiskNotes(app: App, settings: Settings): () => Promise<void> {
  const log = new UsageLog(app.paths.usage, app.clock);
  const events = openEvents(app);
  return async () => {
    const disk = await imageDisk(settings).catch(() => undefined);
    if (disk !== undefined) await log.sample(disk);
    const watched = await watchedDisk(settings).catch(() => undefined);
    if (watched !== undefined) await tellOfDisk(events, watched);
  };
}
