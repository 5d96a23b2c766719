import { span } from '../../certificates/words.ts';
import { counted } from '../../counted.ts';
import type { Engine } from '../../engine/engine.ts';
import { Failure, WrongInput } from '../../errors.ts';
import { sizeInWords } from '../../low-water.ts';
import { begunIn, type Step, servedSince } from '../../relocation/begun.ts';
import { guessedTime, type Route } from '../../relocation/choose.ts';
import { bringBack } from '../../relocation/compare.ts';
import {
  expectMarkedOld,
  isMarkedNew,
  isMarkedOld,
  removeImages,
  unmarkNew,
} from '../../relocation/marks.ts';
import { copyMissing, expectApart, expectImages, isPlace } from '../../relocation/preconditions.ts';
import { provePulls } from '../../relocation/proof.ts';
import { scan } from '../../relocation/scan.ts';
import { whoServes } from '../../relocation/served.ts';
import { Proven } from '../../relocation/verify.ts';
import { loadSettings } from '../../settings/load.ts';
import type { Settings } from '../../settings/settings.ts';
import { dropLease } from '../../stack/writes.ts';
import { changed, type Done, type Report } from '../../step.ts';
import { type OldPlace, readOldPlaces, writeOldPlaces } from '../../storage/old-places.ts';
import { isSameFolder } from '../../system/files.ts';
import { missingDisk } from '../../system/mounts.ts';
import { type App, openJournal } from '../app.ts';
import { asPuller } from '../collection.ts';
import { setFolder, startRest } from './on-folder.ts';

/** What a move will do, for who is asked. */
export async function describeMove({ from, to }: Route): Promise<string> {
  const { bytes, files } = await scan(from);
  return [
    `${sizeInWords(bytes)} in ${counted(files.size, 'file')} will be copied from ${from} to ${to}. This takes ${timeInWords(bytes)}.`,
    'Pulls go on throughout. Pushes are refused for some seconds at the end.',
    `${from} stays as it is until you remove it: npm run storage -- drop-old`,
  ].join('\n');
}

/**
 * Whether `.env` can say so, and the settings take it.
 * @throws WrongInput
 */
export async function expectMovable({ paths, environment }: App, settings: Settings, { from, to }: Route) {
  await expectApart({ from, to }, settings);
  if (environment.REGISTRY_DATA_DIR !== undefined)
    throw new WrongInput([
      {
        input: 'REGISTRY_DATA_DIR',
        message: 'is set in the environment, where it wins over .env; unset it there first',
      },
    ]);
  await loadSettings(paths, { ...environment, REGISTRY_DATA_DIR: to });
}

/**
 * Gives up a move that was begun and does not serve now: its copy goes, and the old place serves as before. What was pushed
 * to the new one while that served, before somebody took it down, is brought back first.
 * @param forget whether to do so, too, where the new place is gone for good, with what was pushed to it, or the old one
 *   before all of it was copied
 * @throws Failure `moved-already`, `copy-missing`, `no-images`, and those of copying
 */
export async function cancelMove(
  app: App,
  settings: Settings,
  engine: Engine,
  report: Report,
  forget = false,
): Promise<Done> {
  const { paths } = app;
  const journal = openJournal(app, 'storage');
  const entry = await journal.interrupted();
  const begun = begunIn(entry);
  if (entry === undefined) return { changed: false, summary: 'no move was interrupted', value: undefined };
  if (begun === undefined) {
    await dropLease(paths, 'storage');
    await journal.end();
    return changed('what it had noted can’t be read: a copy may be left');
  }
  const { from, to } = begun;
  const served = await whoServes(engine, settings, begun);
  // At its last step the new place has proved itself, and the old one is said to be one.
  if (served === 'new' || entry.step === ('leave' satisfies Step))
    throw new Failure(
      'moved-already',
      `The registry has its images in ${to} already.`,
      'Bring the move to its end: npm run storage -- move',
    );
  const ours = await isMarkedNew(to, { checkout: paths.root, from });
  if (begun.compared > 0 && !ours && !forget) throw copyMissing(to);
  const lost = forget && begun.compared === 0 && !(await isPlace(from));
  const goes = ours && !lost; // else the copy is all there is
  if (goes) await expectImages({ from });
  else if (ours) await unmarkNew(to); // one that stays may be served as it is
  const parts = { ...app, from, to, proven: new Proven(), allowDamaged: false };
  if (goes) await bringBack(parts, servedSince(begun), report);
  await setFolder(app, from);
  await startFrom(to, app, settings, engine);
  if (goes) await removeImages(to);
  await dropLease(paths, 'storage');
  await journal.end();
  if (ours && lost) return changed(`there are no images in ${from}; what was copied stays in ${to}`);
  return changed(`the images stay in ${from}${ours ? `, and their copy in ${to} is gone` : ''}`);
}

/** Parts that were made for a place that goes would be started on it by `docker compose start`: they are made anew. */
async function startFrom(gone: string, app: App, settings: Settings, engine: Engine): Promise<void> {
  const mounts = (await engine.containers.ofProject(settings.project)).flatMap((each) => each.mounts);
  const made = await Promise.all(mounts.map(({ source }) => isSameFolder(source, gone)));
  if (made.includes(true)) await startRest(app, settings, engine);
}

/** @throws Failure `not-that-place`, `newer-there`, `disk-missing`, `in-use`, `no-images`, `served-elsewhere`, and those of a registry that is not well */
export async function expectDroppable(
  app: App,
  settings: Settings,
  engine: Engine,
  old: OldPlace,
): Promise<Done> {
  await expectUnused(settings, engine, old);
  const now = settings.registryDataDirectory;
  return asPuller(app, settings, (client) => provePulls(now, [], client));
}

async function expectUnused(settings: Settings, engine: Engine, old: OldPlace): Promise<void> {
  const { folder } = old;
  const now = settings.registryDataDirectory;
  const point = await missingDisk(folder);
  if (point !== undefined)
    throw new Failure(
      'disk-missing',
      `The disk of ${folder} is not mounted at ${point}.`,
      `sudo mount ${point}, then run this again.`,
    );
  await expectApart({ from: now, to: folder }, settings);
  await expectMarkedOld(old);
  await expectImages({ from: now });
  const mounting = await engine.containers.mounting(folder);
  const used =
    (await isSameFolder(folder, now)) ||
    (await whoServes(engine, settings, { from: folder, to: now })) === 'old';
  if (used || mounting.length > 0)
    throw new Failure(
      'in-use',
      `${folder} is in use${mounting[0] === undefined ? ' by the registry' : ` by the container ${mounting[0].name}`}.`,
      'Only a place that serves no more can be dropped.',
    );
  await expectNothingSince(old);
}

/** Somebody may have started a registry on it by hand. */
async function expectNothingSince({ folder, moved }: OldPlace): Promise<void> {
  const { files } = await scan(folder);
  const newer = [...files].filter(([, { written }]) => written > moved.getTime()).map(([path]) => path);
  if (newer.length === 0) return;
  throw new Failure(
    'newer-there',
    `${folder} got ${newer.length} files after its images were moved: what was pushed to it then is not in the registry. The last: ${newer.sort().at(-1)}`,
    'Push these images once more, remove the folder yourself, then: npm run storage -- drop-old --forget',
  );
}

/**
 * Removes what was proved to be droppable.
 * @throws Failure as `expectDroppable`, for what has changed since
 */
export async function dropPlace(app: App, engine: Engine, old: OldPlace): Promise<Done> {
  const { paths, environment } = app;
  const { folder, bytes } = old;
  await expectUnused(await loadSettings(paths, environment), engine, old); // somebody may have thought it over for a day
  await removeImages(folder);
  await forgetPlace(paths.oldPlaces, folder);
  return changed(`${sizeInWords(bytes)} removed from ${folder}`);
}

/** Forgets those that are gone for good: of one that is there nobody would know any more what it is. */
export async function forgetGone(file: string): Promise<readonly OldPlace[]> {
  const gone: OldPlace[] = [];
  for (const place of await readOldPlaces(file))
    if (!(await isMarkedOld(place).catch(() => false))) gone.push(place);
  for (const { folder } of gone) await forgetPlace(file, folder);
  return gone;
}

async function forgetPlace(file: string, folder: string): Promise<void> {
  const others = (await readOldPlaces(file)).filter((each) => each.folder !== folder);
  await writeOldPlaces(file, others);
}

function timeInWords(bytes: number): string {
  const time = guessedTime(bytes);
  return time < 10_000 ? 'seconds' : `about ${span(time)} on a disk of 100 MB/s`;
}
