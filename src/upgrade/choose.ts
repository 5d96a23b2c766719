import type { Engine } from '../engine/engine.ts';
import { Failure, WrongInput } from '../errors.ts';
import { refreshBase, type Workshop } from '../images/build.ts';
import { ensureImages, type ImageNames } from '../images/ensure.ts';
import type { Paths } from '../paths.ts';
import { writeOwn } from '../settings/env-file.ts';
import { recordFindings } from '../settings/generated.ts';
import { loadSettings } from '../settings/load.ts';
import type { ImageRole, Settings } from '../settings/settings.ts';
import type { Done, Report } from '../step.ts';
import { expectAgreed } from './judge.ts';
import { IMAGE_SETTING } from './parts.ts';
import { leapOf } from './registry-version.ts';
import type { Snapshot } from './snapshot.ts';
import { versionOf } from './versions.ts';
import type { Wishes } from './wanted.ts';

/** Lines for `.env`, by setting: what was asked for on the command line. */
export type Chosen = Readonly<Record<string, string>>;

interface Place {
  readonly paths: Paths;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly owner: string;
}

export function chosenBy(options: Readonly<Partial<Record<ImageRole, string>>>): Chosen {
  const roles = Object.entries(IMAGE_SETTING) as [ImageRole, string][];
  return Object.fromEntries(
    roles.flatMap(([role, setting]) => (options[role] === undefined ? [] : [[setting, options[role]]])),
  );
}

/**
 * The settings as they are to be.
 * @throws WrongInput for what is no image, and where the environment has the last word and can't be changed here
 */
export async function withChosen({ paths, environment }: Place, chosen: Chosen): Promise<Settings> {
  const outside = Object.values(IMAGE_SETTING).filter((name) => environment[name]);
  if (outside.length > 0) {
    const message = 'is set in the environment, where it can’t be changed from here: move it to .env';
    throw new WrongInput(outside.map((input) => ({ input, message })));
  }
  return loadSettings(paths, { ...environment, ...chosen });
}

/**
 * Gets all images before anything is touched.
 * @throws WrongInput for one that was asked for on the command line and can't be had; Failure as `ensureImages`
 */
export async function obtain(
  settings: Settings,
  workshop: Workshop,
  { refresh, again }: Pick<Wishes, 'refresh' | 'again'>,
  chosen: Chosen,
  report: Report,
): Promise<Done<ImageNames>> {
  try {
    if (refresh) await refreshBase(workshop, report);
    return await ensureImages(settings, workshop, report, again);
  } catch (error) {
    const [setting] = Object.entries(chosen).find(([, name]) => isAbout(error, name)) ?? [];
    if (setting === undefined || !(error instanceof Failure)) throw error;
    throw new WrongInput([{ input: setting, message: `${error.message} Nothing has changed.` }]);
  }
}

/**
 * Looks at distribution once it is here: its tag may have said something else than it is.
 * @throws Failure `unsafe-version`
 */
export async function expectNewRegistry(
  engine: Engine,
  { registry }: ImageNames,
  { images }: Pick<Snapshot, 'images'>,
  consent: { agreed: boolean; force: boolean },
): Promise<void> {
  if (registry === undefined) return;
  const leap = leapOf(images.registry?.version, await versionOf(engine, registry, 'registry'));
  expectAgreed(leap, consent);
}

/** Writes what is to be into `.env`. Done twice it is as if done once. */
export async function applyChosen(place: Place, chosen: Chosen, names: ImageNames): Promise<Settings> {
  await writeOwn(place.paths.envFile, chosen);
  const settings = await loadSettings(place.paths, place.environment);
  await recordFindings(place, settings, names);
  return loadSettings(place.paths, place.environment);
}

function isAbout(error: unknown, reference: string): boolean {
  return error instanceof Failure && error.message.includes(reference);
}
