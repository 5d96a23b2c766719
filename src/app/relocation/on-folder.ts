import { join } from 'node:path';
import type { Engine } from '../../engine/engine.ts';
import { sizeInWords } from '../../low-water.ts';
import { markOld, unmarkNew } from '../../relocation/marks.ts';
import type { Places } from '../../relocation/places.ts';
import { writeOwn } from '../../settings/env-file.ts';
import { loadSettings } from '../../settings/load.ts';
import type { Settings } from '../../settings/settings.ts';
import { isAlive } from '../../stack/alive.ts';
import { awaitNginx, awaitRegistry } from '../../stack/answer.ts';
import { makeParts, type Part, recentLog, startParts } from '../../stack/compose.ts';
import { NginxContainer } from '../../stack/nginx.ts';
import { startServing } from '../../stack/serving.ts';
import type { WritesClosed } from '../../stack/writes.ts';
import { changed, type Done, type Report } from '../../step.ts';
import { holdsImages } from '../../storage/data-directory.ts';
import { noteLastPlace } from '../../storage/last-place.ts';
import { DROP, readOldPlaces, writeOldPlaces } from '../../storage/old-places.ts';
import type { App } from '../app.ts';

/** Sets the folder for images in `.env`, as a person would: without a line for the one that is the default. */
export async function setFolder({ paths, environment }: App, folder: string): Promise<void> {
  const present = await loadSettings(paths, environment);
  if (present.registryDataDirectory !== folder) {
    const usual = folder === join(paths.root, 'registry/data');
    await writeOwn(paths.envFile, { REGISTRY_DATA_DIR: usual ? undefined : folder });
  }
  await noteLastPlace(paths.lastPlace, { place: folder, used: true });
}

/** One after another, while nginx keeps who asks waiting: were it replaced at the same time, they would be refused. */
const behind = ['registry', 'gate'] as const;

/**
 * Starts what serves images anew as `.env` says, and waits until it answers.
 * @param writes what refuses writes until then
 */
export async function startOnFolder(
  app: App,
  engine: Engine,
  writes: WritesClosed | undefined,
  report: Report,
): Promise<void> {
  const { paths, clock, environment, run } = app;
  const settings = await loadSettings(paths, environment);
  const log = (part: Part) => recentLog(app, part);
  await writes?.enter('closed');
  const place = { engine, run, paths };
  for (const part of behind) {
    if (part === 'gate' && settings.auth.by !== 'gate') continue;
    await startParts(place, settings, [part], report);
    await awaitRegistry(settings, clock, log);
  }
  await startServing(place, settings, report);
  await awaitNginx(settings, new NginxContainer(engine, settings), clock, log);
  await awaitRegistry(settings, clock, log);
}

/**
 * Has the registry run where the rest of its stack does: a kill may have come between the end of the old one and the
 * start of the new. A stack that was taken down stays down, and one that was stopped stays so: its containers are made anew,
 * as `docker compose start` would start the present ones on the folder that they were made for. Answers whether it runs.
 */
export async function startRest(app: App, settings: Settings, engine: Engine): Promise<boolean> {
  const { paths, run } = app;
  const containers = await engine.containers.ofProject(settings.project);
  const runs = containers.some(isAlive);
  if (runs) await startOnFolder(app, engine, undefined, () => undefined);
  else if (containers.length > 0) await makeParts({ run, paths }, ['registry', 'gate', 'nginx', 'renewer']);
  return runs;
}

/** Leaves word of the old place, in it and here. */
export async function keepOld({ paths, clock }: App, { from, to }: Places, bytes: number): Promise<Done> {
  const old = { folder: from, to, moved: clock.now(), bytes };
  const there = await holdsImages(from);
  if (there) await markOld(old, paths.root);
  const others = (await readOldPlaces(paths.oldPlaces)).filter(
    ({ folder }) => folder !== from && folder !== to,
  );
  await writeOldPlaces(paths.oldPlaces, there ? [old, ...others] : others);
  await unmarkNew(to);
  if (!there) return changed(`${from} is gone`);
  return changed(`${from} stays as it was, ${sizeInWords(bytes)}; to remove it: ${DROP}`);
}
