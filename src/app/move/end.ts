import { z } from 'zod';
import type { CollectionParts } from '../../collection/parts.ts';
import { counted } from '../../counted.ts';
import { connect } from '../../engine/connect.ts';
import { Failure, WrongInput } from '../../errors.ts';
import { uninstallUnit } from '../../host/install-unit.ts';
import { readInventory } from '../../inventory/inventory.ts';
import { announce, arrive, expectStillThere } from '../../move/arrival.ts';
import { openAgain } from '../../move/close.ts';
import { askFar } from '../../move/far.ts';
import { addressesOf, whereNameLeads } from '../../move/name.ts';
import { discardState } from '../../move/state.ts';
import { additions, inShort, survey, surveyOf } from '../../move/survey.ts';
import { noteTakenBack } from '../../move/taken-back.ts';
import type { Settings } from '../../settings/settings.ts';
import { isAlive } from '../../stack/alive.ts';
import { expectNotMoved, type Move, readMove } from '../../stack/moved.ts';
import { stopStack } from '../../stack/stop.ts';
import { changed, type Done, type Report, unchanged } from '../../step.ts';
import { type App, openJournal } from '../app.ts';
import { openServiceManager, unitOfHost } from '../unit.ts';
import { movesOf, type Travel } from './travel.ts';

/** @throws Failure `not-moved`, `moving-here` */
export async function expectGone({ paths }: App): Promise<Move> {
  const move = await readMove(paths);
  if (move?.kind === 'gone') return move;
  await expectNotMoved(paths);
  throw new Failure(
    'not-moved',
    'This registry has not moved: writes are open here.',
    'To move it: npm run move-to -- user@host',
  );
}

/** @throws WrongInput while a move is on its way */
export async function expectNotHalfDone(app: App): Promise<void> {
  if ((await openJournal(app, 'move-to').interrupted()) !== undefined)
    throw new WrongInput([{ input: '--finish', message: 'the move is half done: npm run move-to first' }]);
}

/**
 * That clients find the other machine by the name.
 * @throws Failure `name-leads-here`, `name-leads-nowhere`
 */
export async function expectHandedOver(settings: Settings, { other }: Move): Promise<Done> {
  const { domain } = settings;
  const leads = await whereNameLeads(settings);
  const addresses = (await addressesOf(domain)).join(', ');
  const now = addresses === '' ? '' : ` (${addresses})`;
  if (leads === 'there') return unchanged(`${domain}${now} leads to ${other}`);
  if (leads === 'here')
    throw new Failure(
      'name-leads-here',
      `${domain}${now} still leads to this machine: clients would find nothing.`,
      `Point it to ${other}, wait until its old answers have expired, then run this again; or add --force.`,
    );
  throw new Failure(
    'name-leads-nowhere',
    `No registry answers at ${domain}${now} as seen from here.`,
    `Look whether clients reach ${other} by it; if so, add --force.`,
  );
}

/** Whether a container of this registry runs, or is paused. */
export async function anythingRuns({
  engine,
  settings,
}: Pick<CollectionParts, 'engine' | 'settings'>): Promise<boolean> {
  return (await engine.containers.ofProject(settings.project)).some(isAlive);
}

/** Stops what runs here; images and certificates stay. */
export async function stopHere(app: App, settings: Settings, report: Report): Promise<Done> {
  const unit = unitOfHost(app, settings);
  const removed = unit === undefined ? unchanged('') : await uninstallUnit(openServiceManager(app), unit);
  const stopped = await stopStack({ ...app, engine: connect(app.environment.DOCKER_HOST) }, settings, report);
  const summary = [stopped.summary, removed.changed ? removed.summary : ''].filter(Boolean).join('; ');
  return stopped.changed || removed.changed ? changed(summary) : unchanged(summary);
}

/**
 * Closes the other one, which was started, so that there are never two that take writes, and stops it.
 * @param force whether what was pushed there is given up
 * @throws Failure `newer-there` when something was pushed there, which would be lost; it goes on then. Those of
 *   `expectStillThere`
 */
export async function closeThere(travel: Travel, force: boolean, report: Report): Promise<Done> {
  const { far, parts } = travel;
  if (!(await expectStillThere(far, force))) return unchanged(`nothing is left of it on ${far.host.name}`);
  await announce(far, movesOf(travel).coming);
  if (!force) {
    // Until nothing there is let in any more, nor on its way past nginx: what is counted below is all there will be.
    await askFar(far, 'close', z.object({}), { report });
    const [here, there] = [
      surveyOf(await readInventory(await parts.openTree())),
      await askFar(far, 'survey', survey, { report }),
    ];
    const newer = additions(here, there.repositories);
    if (newer.length > 0) {
      await arrive(far);
      throw newerThere(far.host.name, newer);
    }
  }
  await askFar(far, 'stop', z.object({}), { report });
  return changed(`${far.host.name} is stopped, and takes no writes`);
}

/** Of `SshHost.open`: nobody answers, or it is another machine now, or was set up anew. */
const LOST: readonly string[] = ['host-unreachable', 'host-key-changed'];

/**
 * One that is lost can't be stopped. Whoever says so by `force` has to keep it from coming back.
 * @returns what to tell them
 * @throws Failure the given error, unless that is what it says and it was forced
 */
export function despiteLoss(error: unknown, to: string, force: boolean): string {
  if (!(error instanceof Failure) || !LOST.includes(error.code)) throw error;
  if (force)
    return `${to} was not stopped, as nobody gets there: should it come back, it takes writes, too. Keep it off the network, or stop it there by hand.`;
  const { code, message, remedy } = error;
  const forced = 'If it is lost for good: npm run move-to -- --cancel --force';
  throw new Failure(code, message, `${remedy}\n${forced}`, { cause: error });
}

/** Writes are taken here again. @param from where it comes back from */
export async function openHere(parts: CollectionParts, from: string): Promise<Done> {
  await noteTakenBack(parts.paths, { other: from, at: parts.clock.now() });
  const done = await openAgain(parts);
  await parts.journal.end();
  await discardState(parts.paths);
  return done;
}

function newerThere(name: string, newer: readonly string[]): Failure {
  return new Failure(
    'newer-there',
    `Pushed to ${name} and not here: ${counted(newer.length, 'image')}: ${inShort(newer)}`,
    'Nothing was changed. To give them up: add --force. To keep them, push them here afterwards.',
  );
}
