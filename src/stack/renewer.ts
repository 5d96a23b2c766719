import type { Engine } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import type { Settings } from '../settings/settings.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import { type Clock, eventually } from '../system/clock.ts';
import { type Place, recentLog, startParts } from './compose.ts';

const FIRST_TICK_WITHIN = 60_000;

/**
 * Starts the renewer, unless its work is left to the host, and waits until it has looked at the certificate once: a daemon that cannot work is found out now
 * and not on the day the certificate is due.
 * @throws Failure `renewer-broken`, with the last lines of its log
 */
export async function startRenewer(
  place: Place,
  settings: Settings,
  clock: Clock,
  report: Report,
): Promise<Done> {
  if (!settings.renewerContainer) return removeRenewer(place, settings, report);
  const done = await startParts(place, settings, ['renewer'], report);
  report('its first look at the certificate');
  const ticked = await eventually(clock, { within: FIRST_TICK_WITHIN, every: 200 }, () =>
    hasTicked(place.engine, settings.project),
  );
  if (ticked === true) return done;
  throw new Failure(
    'renewer-broken',
    `The renewer does not work. Its log ends with:\n${await recentLog(place, 'renewer')}`,
    'Fix what it reports, then run this again.',
  );
}

/** Has the renewer run again where the rest of the stack is there. A stack that was taken down stays down. */
export async function resumeRenewer(
  place: Place,
  settings: Settings,
  clock: Clock,
  report: Report,
): Promise<Done> {
  const stack = await place.engine.containers.ofProject(settings.project);
  if (stack.length > 0) return startRenewer(place, settings, clock, report);
  return unchanged('the stack is down; `docker compose up -d` starts it with its renewer');
}

/** While RENEWER_REPLICAS=0 is set Compose leaves the renewer off, and removes one that is there. */
async function removeRenewer(place: Place, settings: Settings, report: Report): Promise<Done> {
  const present = await place.engine.containers.ofService(settings.project, 'renewer');
  if (present.length === 0) return unchanged('left to the host (RENEWER_REPLICAS=0)');
  await startParts(place, settings, ['renewer'], report);
  return changed('container removed; `docker compose up -d` leaves it off (RENEWER_REPLICAS=0)');
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
