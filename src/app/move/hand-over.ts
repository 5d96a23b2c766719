import { isIP } from 'node:net';
import { installThere } from '../../deploy/install-there.ts';
import { arrive, expectClaimed } from '../../move/arrival.ts';
import { closeForGood, expectClosed } from '../../move/close.ts';
import type { Begun } from '../../move/course.ts';
import { askFar } from '../../move/far.ts';
import { expectSameLinks, sendImages } from '../../move/images.ts';
import { addressesOf } from '../../move/name.ts';
import { discardState, type StagedState, sendState, stageState } from '../../move/state.ts';
import { survey } from '../../move/survey.ts';
import type { Settings } from '../../settings/settings.ts';
import { readMove } from '../../stack/moved.ts';
import { changed, unchanged } from '../../step.ts';
import { openEvents } from '../app.ts';
import { compare, expectSame } from './compare.ts';
import { expectWhole } from './departure.ts';
import { disksOf, exclusively, movesOf, reach, type Told, type Travel } from './travel.ts';

/** What the hand-over has come to. */
export interface HandedOver {
  readonly settings: Settings;
  readonly to: string;
  readonly folder: string;
  /** What the name leads to now, and where the other machine is; either may be unknown. */
  readonly from: readonly string[];
  readonly addresses: readonly string[];
  /** Seconds that nobody could write. */
  readonly closed: number;
  /** Whether clients know the registry by an address: it can't be led elsewhere. */
  readonly byAddress: boolean;
}

/**
 * Closes writes here for good, copies what came since, starts it there, and sees that it has everything. What a run before
 * has done of it is not done again.
 * @param wait seconds that uploads on their way may take to end
 * @param force though something is not there any more that was when it was started
 */
export async function handOver(
  travel: Travel,
  isAhead: Begun['isAhead'],
  { wait, force }: { readonly wait: number; readonly force: boolean },
  told: Told,
): Promise<HandedOver> {
  const { app, settings, goal, journal, far } = travel;
  const { settings: settingsThere } = await stageState(app.paths, app.environment, settings, goal);
  await exclusively(app, async () => {
    if (isAhead('verify')) {
      await close(travel, wait, told);
      await replay(travel, told);
    }
    if (isAhead('start')) await start(travel, settingsThere, told);
  });
  const { clock, paths } = app;
  const since = (await readMove(paths))?.since ?? clock.now();
  const closed = (clock.now().getTime() - since.getTime()) / 1000;
  await compare(travel, settingsThere, told, force);
  await journal.end();
  const { name: to, address } = far.host;
  await openEvents(app).record(
    'move-to',
    'done',
    `moved to ${to}, ${goal.folder}; closed for ${Math.round(closed)} s`,
  );
  const byAddress = isIP(settings.domain) !== 0;
  const [from, addresses] = [await addressesOf(settings.domain), await addressesOf(address)];
  return { settings, to, folder: goal.folder, from, addresses, closed, byAddress };
}

/** From here on nothing is written here. */
async function close(travel: Travel, wait: number, { teller }: Told): Promise<void> {
  await expectWhole(travel); // it has been a while, and others were at work
  await teller.step('Closed', (report) => closeForGood(travel.parts, movesOf(travel).gone, wait, report));
}

/** Copies what changed since, and looks that there is nothing that differs. */
async function replay(travel: Travel, { teller }: Told): Promise<void> {
  const { app, settings, goal, far, journal, parts } = travel;
  await expectClosed(parts);
  await reach(travel, 'replay');
  const staged = await stageState(app.paths, app.environment, settings, goal);
  const disks = disksOf(travel, staged);
  if (disks !== undefined) await expectClaimed(far, disks.there, travel.id);
  await teller.step('Replayed', async (report) => {
    const state = await sendState(far, staged);
    const images =
      disks === undefined ? unchanged('images are in the bucket') : await sendImages(far, disks, report);
    const summary = `${images.summary}; ${state.summary}`;
    return images.changed || state.changed ? changed(summary) : unchanged(summary);
  });
  await journal.reach('verify');
  await teller.step('Verified', async (report) => {
    const links = disks === undefined ? undefined : await expectSameLinks(far, disks);
    const there = await askFar(far, 'survey', survey, { report });
    const words = await expectSame(travel, there, disks);
    return unchanged(links === undefined ? words : `${words}; ${links.summary}`);
  });
  await discardState(app.paths);
}

/** Starts it there. From the first moment of it on nothing may be copied any more: it may have more than is here. */
async function start(
  travel: Travel,
  settingsThere: StagedState['settings'],
  { teller, tell }: Told,
): Promise<void> {
  const { app, far, parts } = travel;
  await expectClosed(parts);
  await reach(travel, 'start');
  const { storage, registryDataDirectory: data } = settingsThere;
  await arrive(far, storage.kind === 'filesystem' ? data : undefined);
  await teller.step('Started', (report) => installThere(far.host, far.folder, app.clock, { report, tell }));
}
