import type { Teller } from '../../cli/story.ts';
import { close, drain } from '../../collection/close.ts';
import { RegistryPart } from '../../collection/registry-part.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Step } from '../../relocation/begun.ts';
import type { Settings } from '../../settings/settings.ts';
import { awaitRegistry } from '../../stack/answer.ts';
import { recentLog } from '../../stack/compose.ts';
import type { WritesClosed } from '../../stack/writes.ts';
import { changed } from '../../step.ts';
import { type App, openJournal } from '../app.ts';

/** Of a move's journal, its lease and its events. */
export const HOLDER = 'storage';

/**
 * Lets uploads end that are on their way, and has nothing written from then on, by whatever way.
 * @param wait seconds that uploads may take to end
 */
export async function closeWrites(
  app: App,
  settings: Settings,
  engine: Engine,
  wait: number,
  story: Teller,
  writes: WritesClosed,
): Promise<void> {
  const { clock } = app;
  const registry = new RegistryPart(engine, settings.project, clock);
  const journal = openJournal(app, HOLDER);
  const parts = { registry, clock, journal };
  await story.step('Uploads', (report) => drain(parts, writes, wait, report));
  await story.step('Writes', () => close(parts, writes));
  await story.step('Quiet', async () => {
    await journal.reach('quieten' satisfies Step);
    await writes.enter('collecting'); // what was past nginx already must not come between
    await registry.expectObedient('collecting');
    writes.expectHeld();
    await registry.restart();
    await awaitRegistry(settings, clock, (part) => recentLog(app, part));
    return changed('reads only');
  });
}
