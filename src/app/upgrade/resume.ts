import type { Entry } from '../../journal.ts';
import { changed } from '../../step.ts';
import { withChosen } from '../../upgrade/choose.ts';
import { interruptedAndBack } from '../../upgrade/failures.ts';
import { restoreNames } from '../../upgrade/restore.ts';
import { factsFromJournal, resumptionOf } from '../../upgrade/resume.ts';
import { dropSnapshot, expectSnapshot, readSnapshot } from '../../upgrade/snapshot.ts';
import { type Course, carryOut, finishUpgrade, goBack } from './course.ts';

/** Ends what a killed run began. Answers whether there is to be a new one then. */
export async function resume(course: Course, left: Entry): Promise<boolean> {
  const { app, engine, story, journal, terminal } = course;
  const facts = factsFromJournal(left);
  const { project } = await withChosen(app, {});
  const resumption = resumptionOf(left.step);
  terminal.line(`An upgrade was interrupted (at ${left.step || 'its beginning'}).`);
  switch (resumption) {
    case 'forget':
      await story.step('Interrupted', async () => {
        const snapshot = await readSnapshot(app.paths, facts.snapshot);
        if (snapshot !== undefined) await restoreNames(engine, snapshot.others);
        await dropSnapshot(course.place, project, { name: facts.snapshot });
        await journal.end();
        return changed('nothing was replaced yet: forgotten');
      });
      return true;
    case 'tidy':
      await finishUpgrade(
        course,
        await expectSnapshot(app.paths, facts.snapshot),
        'what was interrupted is finished',
      );
      return false;
    case 'finish':
      await carryOut(course, facts, 'may be broken', 'what was interrupted is finished');
      return false;
    case 'go-back': {
      const snapshot = await expectSnapshot(app.paths, facts.snapshot);
      await goBack(course, snapshot, facts.samples);
      throw interruptedAndBack();
    }
  }
}
