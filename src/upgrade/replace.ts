import type { WebServer } from '../certificates/deploy.ts';
import { Failure } from '../errors.ts';
import type { Settings } from '../settings/settings.ts';
import { awaitNginx, awaitRegistry } from '../stack/answer.ts';
import { type Part, type Place, recentLog, startParts } from '../stack/compose.ts';
import { awaitMirror } from '../stack/mirror.ts';
import { startRenewer } from '../stack/renewer.ts';
import { startServing } from '../stack/serving.ts';
import { type Done, type Report, unchanged } from '../step.ts';
import { type Clock, eventually } from '../system/clock.ts';
import { lastLines } from '../system/processes.ts';
import { filesChanged } from './parts.ts';

const WELL_WITHIN = 60_000;

/** Whether the whole can be asked before all is replaced: nginx itself may be what is broken, and it comes last. */
export type Front = 'serves' | 'may be broken';

export interface Tools {
  readonly place: Place;
  readonly clock: Clock;
  readonly webServer: WebServer;
}

/**
 * Starts a part anew where that is needed, and waits until it is well and the whole of the registry answers with it.
 * @throws Failure `part-unwell`, with the last lines of its log; `stack-failed`, `renewer-broken`, …
 */
export async function replacePart(
  tools: Tools,
  settings: Settings,
  part: Part,
  front: Front,
  report: Report,
): Promise<Done> {
  const { place, clock, webServer } = tools;
  const forced = await isForced(tools, settings, part);
  const flags = forced ? (['--force-recreate'] as const) : [];
  const done = await startParts(place, settings, [part], report, flags).catch(async (error) => {
    throw await withLog(error, place, part);
  });
  report(`${part}: waiting until it is well`);
  await awaitPart(tools, settings, part);
  const log = (each: Part) => recentLog(place, each);
  switch (part) {
    case 'renewer':
      await startRenewer(place, settings, clock, report);
      break;
    case 'mirror':
      if (front === 'serves' && settings.mirror !== undefined)
        await awaitMirror(settings, settings.mirror, { engine: place.engine, clock, log });
      break;
    case 'nginx':
      await awaitNginx(settings, webServer, clock, log);
      await awaitRegistry(settings, clock, log);
      break;
    case 'registry':
    case 'gate':
      if (front === 'serves') await awaitRegistry(settings, clock, log);
      break;
    case 'redis':
    case 'relay':
      break;
  }
  return done.changed ? done : unchanged(`${part} stays`);
}

/** Whatever else the settings want, and take away; all of it answers afterwards. */
export async function settleStack(tools: Tools, settings: Settings, report: Report): Promise<Done> {
  const { place, clock, webServer } = tools;
  const done = await startServing(place, settings, report);
  const log = (part: Part) => recentLog(place, part);
  await awaitNginx(settings, webServer, clock, log);
  await awaitRegistry(settings, clock, log);
  if (settings.mirror !== undefined)
    await awaitMirror(settings, settings.mirror, { engine: place.engine, clock, log });
  return done;
}

/** Whether the files changed that it read when it was started: Compose does not look into them. */
async function isForced({ place }: Tools, { project }: Settings, part: Part): Promise<boolean> {
  const [container] = await place.engine.containers.ofService(project, part);
  const state = container && (await place.engine.containers.condition(container.id));
  const changedAt = await filesChanged(place.paths, part);
  return state !== undefined && changedAt !== undefined && changedAt > state.startedAt;
}

/** Asks what its own health check asks, as soon as it may be answered; one that ends again and again is not waited for. */
async function awaitPart({ place, clock }: Tools, { project }: Settings, part: Part): Promise<void> {
  const { containers } = place.engine;
  let last = 'it does not run';
  const well = await eventually(clock, { within: WELL_WITHIN, every: 200 }, async () => {
    const [container] = await containers.ofService(project, part);
    const state = container && (await containers.condition(container.id));
    if (container === undefined || state === undefined) return undefined;
    if (state.restarts > 0) {
      last = 'it ends as soon as it is started';
      return false;
    }
    if (state.status !== 'running') return undefined;
    if (state.check === undefined) return true;
    const asked = await containers.exec(container.id, state.check).catch(() => undefined);
    last = `its health check says ${lastLines(asked?.output ?? '') || 'no'}`;
    return asked?.exitCode === 0 ? true : undefined;
  });
  if (well === true) return;
  throw await withLog(
    new Failure(
      'part-unwell',
      `The new ${part} is not well: ${last}.`,
      'Fix what it reports, then run this again.',
    ),
    place,
    part,
  );
}

async function withLog(error: unknown, place: Place, part: Part): Promise<unknown> {
  if (!(error instanceof Failure)) return error;
  const log = await recentLog(place, part).catch(() => '');
  if (log === '') return error;
  const message = `${error.message}\nThe log of ${part} ends with:\n${log}`;
  return new Failure(error.code, message, error.remedy, { cause: error });
}
