import type { Story } from '../../cli/story.ts';
import type { Terminal } from '../../cli/terminal.ts';
import { messageOf } from '../../errors.ts';
import { refreshUnit } from '../../host/install-unit.ts';
import { gatherUnitFacts } from '../../host/unit-facts.ts';
import type { Journal } from '../../journal.ts';
import type { ImageRole, Settings } from '../../settings/settings.ts';
import { changed, type Done } from '../../step.ts';
import { applyChosen, obtain, withChosen } from '../../upgrade/choose.ts';
import { failedAndBack, failedAndNotBack } from '../../upgrade/failures.ts';
import { partsOf } from '../../upgrade/parts.ts';
import { type Front, replacePart, settleStack } from '../../upgrade/replace.ts';
import { restoreImages } from '../../upgrade/restore.ts';
import type { Facts, Step } from '../../upgrade/resume.ts';
import type { Sample } from '../../upgrade/samples.ts';
import { expectSnapshot, markLeft, releaseImages, type Snapshot } from '../../upgrade/snapshot.ts';
import { surveyRunning } from '../../upgrade/survey.ts';
import { clearUp } from '../../upgrade/tidy.ts';
import { openEvents } from '../app.ts';
import { openServiceManager, unitOfHost } from '../unit.ts';
import { type Bench, replacingTools, verify } from './upgrade.ts';

export interface Course extends Bench {
  readonly story: Story;
  readonly journal: Journal;
  readonly terminal: Terminal;
}

/** All is here by now. */
const NOTHING_NEWER = { refresh: false, again: new Set<ImageRole>() };

/**
 * Replaces all and sees that it works; what fails is taken back.
 * @throws Failure `upgrade-failed` once what ran before works again, `not-back`
 */
export async function carryOut(course: Course, facts: Facts, front: Front, summary: string): Promise<void> {
  const { app, journal, workshop, story } = course;
  const snapshot = await expectSnapshot(app.paths, facts.snapshot);
  const undone = facts.undo === undefined ? undefined : await expectSnapshot(app.paths, facts.undo);
  try {
    await journal.reach('settings');
    const settings = await story.step('Settings', async (report) => {
      if (undone !== undefined) return restore(course, undone);
      const wanted = await withChosen(app, facts.chosen);
      const { value } = await obtain(wanted, workshop, NOTHING_NEWER, facts.chosen, report);
      return changed('.env names the new images', await applyChosen(app, facts.chosen, value));
    });
    await replaceAll(course, settings, facts.samples, front, (part) => journal.reach(part));
    await story.stepFor(unitOfHost(app, settings), 'Unit', (unit, report) =>
      refreshUnit(openServiceManager(app), unit, () => gatherUnitFacts(app.run, unit), report),
    );
  } catch (error) {
    course.terminal.line(course.terminal.style('red', messageOf(error)));
    await goBack(course, snapshot, facts.samples, error);
    throw failedAndBack(error);
  }
  await finishUpgrade(course, snapshot, undone === undefined ? summary : `Taken back: ${summary}`);
}

async function replaceAll(
  course: Course,
  settings: Settings,
  samples: readonly Sample[],
  front: Front,
  reach: (step: Step) => Promise<void>,
): Promise<void> {
  const { story } = course;
  for (const part of partsOf(settings)) {
    await reach(part);
    await story.step(part, (report) =>
      replacePart(replacingTools(course, settings), settings, part, front, report),
    );
  }
  await story.step('Stack', (report) => settleStack(replacingTools(course, settings), settings, report));
  await reach('verify');
  await story.step('Proof', (report) => verify(course, settings, samples, report));
}

/** To the images and the settings of before. Whatever it was that failed, it must work again. */
export async function goBack(
  course: Course,
  snapshot: Snapshot,
  samples: readonly Sample[],
  cause?: unknown,
) {
  const { app, journal, story, place } = course;
  await journal.reach('back');
  try {
    const settings = await story.step('Going back', () => restore(course, snapshot));
    await replaceAll(course, settings, samples, 'may be broken', async () => undefined);
    await releaseImages(place, settings.project, snapshot);
  } catch (error) {
    throw failedAndNotBack(error, snapshot, cause);
  }
  await journal.end();
  await openEvents(app).record('upgrade', 'trouble', 'An upgrade failed; all is as it was before.');
}

async function restore({ app, engine }: Course, snapshot: Snapshot): Promise<Done<Settings>> {
  const { settings, lines } = await restoreImages({ ...app, engine }, snapshot);
  const own = lines.length === 0 ? '' : `; set back in .env: ${lines.join(', ')}`;
  return changed(`to the images of var/upgrade/${snapshot.name}${own}`, settings);
}

/** All is replaced and works: what is left over goes. */
export async function finishUpgrade(course: Course, snapshot: Snapshot, summary: string): Promise<void> {
  const { app, place, journal, story } = course;
  await journal.reach('tidy');
  await markLeft(app.paths, snapshot);
  await story.step('Clearing up', async () => {
    const settings = await withChosen(app, {});
    const running = await surveyRunning(place, settings);
    const current = [...running.values()].map(({ image }) => image.reference);
    const gone = await clearUp(place, settings.project, current, snapshot);
    return changed(
      gone.length === 0 ? 'one generation is kept to go back to' : `${gone.length} old images removed`,
    );
  });
  await journal.end();
  await openEvents(app).record('upgrade', 'done', summary);
  course.terminal.paragraph(
    `Back again: npm run upgrade -- --undo (settings of before: var/upgrade/${snapshot.name})`,
  );
}
