import type { Engine } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import type { Settings } from '../settings/settings.ts';
import type { Done, Report } from '../step.ts';
import { type Clock, eventually } from '../system/clock.ts';
import { type Place, recentLog, startParts } from './compose.ts';

const FIRST_TICK_WITHIN = 60_000;

/**
 * Starts the renewer and waits until it has looked at the certificate once: a daemon that cannot work is found out now
 * and not on the day the certificate is due.
 * @throws Failure `renewer-broken`, with the last lines of its log
 */
export async function startRenewer(
  place: Place,
  settings: Settings,
  clock: Clock,
  report: Report,
): Promise<Done> {
  const done = await startParts(place, settings, ['renewer'], report);
  report('its first look at the certificate');
  const ticked = await eventually(clock, { within: FIRST_TICK_WITHIN, every: 200 }, () =>
    hasTicked(place.engine, settings.project),
  );
  if (ticked === true) return done;
  throw new Failure(
    'renewer-broken',
    `The renewer does not work. Its log ends with:\n${await recentLog(place, 'renewer')}`,
    'Mend what it says, then run this again.',
  );
}

async function hasTicked(engine: Engine, project: string): Promise<true | undefined> {
  const [renewer] = await engine.containers.ofService(project, 'renewer');
  if (renewer?.running !== true) return undefined;
  try {
    const { exitCode } = await engine.containers.exec(renewer.id, ['test', '-e', '/tmp/last-tick']);
    return exitCode === 0 ? true : undefined;
  } catch {
    return undefined; // it ended between the two questions
  }
}
