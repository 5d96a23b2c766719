import type { Settings } from '../../settings/settings.ts';
import { changed, type Done, type Report } from '../../step.ts';
import { expectNewRegistry, obtain } from '../../upgrade/choose.ts';
import { restoreNames } from '../../upgrade/restore.ts';
import { type Facts, factsForJournal } from '../../upgrade/resume.ts';
import { dropSnapshot, type Snapshot } from '../../upgrade/snapshot.ts';
import type { Wishes } from '../../upgrade/wanted.ts';
import type { Course } from './course.ts';
import { noteState, pickSamples } from './upgrade.ts';

export interface WayBack {
  readonly facts: Facts;
  readonly snapshot: Snapshot;
}

/**
 * Notes all that is needed to come back. From here on a run that is killed leaves a journal.
 * @param previous what is gone back to, where that is what is wanted
 */
export async function noteWayBack(
  course: Course,
  settings: Settings,
  { wishes, chosen, previous }: { wishes: Wishes; chosen: Facts['chosen']; previous: Snapshot | undefined },
): Promise<Done<WayBack>> {
  const samples = await pickSamples(course, settings);
  const snapshot = await noteState(course, settings, wishes);
  const facts = { snapshot: snapshot.name, chosen, samples, undo: previous?.name };
  await course.journal.begin(factsForJournal(facts));
  return changed(`var/upgrade/${snapshot.name}`, { facts, snapshot });
}

export interface Wanted extends WayBack {
  readonly wishes: Wishes;
  readonly judged: Parameters<typeof expectNewRegistry>[3];
}

/** Has all images here before anything is touched. Whatever fails, nothing has changed. */
export async function getImages(
  { engine, place, workshop, journal }: Course,
  settings: Settings,
  { wishes, facts, snapshot, judged }: Wanted,
  report: Report,
): Promise<Done> {
  await journal.reach('images');
  try {
    const { value, ...done } = await obtain(settings, workshop, wishes, facts.chosen, report);
    await expectNewRegistry(engine, value, snapshot, judged);
    return { ...done, value: undefined };
  } catch (error) {
    await restoreNames(engine, snapshot.others);
    await dropSnapshot(place, settings.project, snapshot);
    await journal.end();
    throw error;
  }
}
