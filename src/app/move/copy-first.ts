import { join } from 'node:path';
import { z } from 'zod';
import { counted } from '../../counted.ts';
import { copyProject } from '../../deploy/copy.ts';
import { installPrograms } from '../../deploy/programs.ts';
import { runThere } from '../../deploy/run-there.ts';
import { stageProject } from '../../deploy/stage.ts';
import { announce, claim } from '../../move/arrival.ts';
import { beginMove } from '../../move/course.ts';
import { askFar, expectDone } from '../../move/far.ts';
import { sendImages } from '../../move/images.ts';
import { sendState } from '../../move/state.ts';
import { survey } from '../../move/survey.ts';
import { proxyVariables } from '../../settings/forward-proxy.ts';
import { changed, type Done, type Report, unchanged } from '../../step.ts';
import { eventually } from '../../system/clock.ts';
import type { Place } from './place.ts';
import { disksOf, movesOf, type Told, type Travel } from './travel.ts';

/** Milliseconds. Images may have to be built there. */
const PATIENCE = 20 * 60_000;

/** Copies everything while everything goes on. Nothing of this machine changes. */
export async function copyFirst(travel: Travel, place: Place, { teller, tell }: Told): Promise<void> {
  const { app, far, goal, journal } = travel;
  const { host, folder } = far;
  const { facts, programs } = place;
  const cache = join(app.paths.state, 'deploy', 'programs');
  const proxy = proxyVariables(place.staged.settings.proxy, {});
  const porter = { host, run: app.run, clock: app.clock, cache, proxy };
  await beginMove(journal, goal);
  await journal.reach('copy');
  const project = await teller.step('Packages', (report) =>
    stageProject(app, facts.architecture ?? 'x64', report),
  );
  await teller.step('Programs', (report) => installPrograms(porter, facts, programs, report));
  await teller.step('Project', (report) => copyProject(host, project, folder, report));
  await teller.step('Announced', () => announce(far, movesOf(travel).coming));
  if (place.staged.data !== undefined) await claim(far, place.staged.data, travel.id);
  // One that has been there before, and may still be started.
  if (place.occupancy === 'copy') await askFar(far, 'stop', z.object({}), { report: () => undefined });
  await teller.step('State', () => sendState(far, place.staged));
  await teller.step('Prepared', (report) => prepareThere(travel, report, tell));
  await teller.stepFor(disksOf(travel, place.staged), 'Images', async (disks, report) => {
    const done = await sendImages(far, disks, report);
    // What is hashed now need not be hashed while nobody may write.
    const { blobs } = await askFar(far, 'survey', survey, { report });
    return { ...done, summary: `${done.summary}; ${counted(blobs?.count ?? 0, 'blob')} hashed there` };
  });
}

/** Docker, images and settings there, before anybody waits for it. */
async function prepareThere(
  { app, far }: Travel,
  report: Report,
  tell: (line: string) => void,
): Promise<Done> {
  const prepare = () =>
    runThere(far.host, far.folder, 'init-tls', ['--yes', '--prepare'], {
      onLine: (line) => {
        report(line.slice(2));
        if (/^[✓=✗] /.test(line)) tell(line);
      },
    });
  // That of a run whose connection was cut goes on there.
  const ended = await eventually(app.clock, { within: PATIENCE, every: 2_000 }, async () => {
    const finished = await prepare();
    return /^npm run init-tls is running/m.test(finished.stderr) ? undefined : finished;
  });
  const finished = ended ?? (await prepare());
  expectDone(far.host, 'npm run init-tls -- --prepare', finished);
  return /^✓ /m.test(finished.stdout) ? changed('ready to be started') : unchanged('ready to be started');
}
