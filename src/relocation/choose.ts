import { isAbsolute } from 'node:path';
import { Failure, WrongInput } from '../errors.ts';
import type { Journal } from '../journal.ts';
import type { Paths } from '../paths.ts';
import type { Settings } from '../settings/settings.ts';
import { holdsImages } from '../storage/data-directory.ts';
import { readLastPlace } from '../storage/last-place.ts';
import { begunIn } from './begun.ts';
import { isMarkedNew } from './marks.ts';
import type { Places } from './places.ts';

/** Speed of a disk, bytes a second, for what can only be guessed: each byte is read twice and written once. */
const GUESSED = 100 * 1024 * 1024;

export interface Route extends Places {
  /** Whether a run that was killed had begun it. */
  readonly begun: boolean;
}

/**
 * What is to be moved where, by what a person asks for.
 * @param asked absolute; `undefined`: what was begun is to be brought to its end
 * @throws WrongInput, Failure `move-unfinished`, `move-unreadable`
 */
export async function chooseRoute(
  journal: Journal,
  paths: Pick<Paths, 'root' | 'lastPlace'>,
  settings: Pick<Settings, 'storage' | 'registryDataDirectory'>,
  asked: string | undefined,
): Promise<Route | 'there already'> {
  const { registryDataDirectory: from } = settings;
  const entry = await journal.interrupted();
  const begun = begunIn(entry);
  if (begun === undefined) {
    if (entry !== undefined && (asked === undefined || asked === from)) throw unreadable();
    if (asked === from) return (await routeByHand(journal, paths, settings)) ?? 'there already';
    if (asked !== undefined) return { from, to: asked, begun: false };
    throw new WrongInput([
      { input: 'DIR', message: 'is missing; give the folder that the images are to move to' },
    ]);
  }
  if (asked === undefined || asked === begun.to) return { from: begun.from, to: begun.to, begun: true };
  throw unfinished(begun, 'run this again.');
}

function unfinished({ from, to }: Places, then: string): Failure {
  return new Failure(
    'move-unfinished',
    `A move from ${from} to ${to} was interrupted.`,
    `Bring it to its end (npm run storage -- move) or give it up (npm run storage -- cancel), then ${then}`,
  );
}

function unreadable(): Failure {
  return new Failure(
    'move-unreadable',
    'A move was interrupted, and what it has noted can’t be read.',
    'Give it up: npm run storage -- cancel',
  );
}

/**
 * What comes along where a person has changed REGISTRY_DATA_DIR: images were in the last place, and none are in the new
 * one. `undefined` where nothing does.
 * @throws Failure `move-unfinished` for a third folder while images are on their way from one to another
 */
export async function routeByHand(
  journal: Journal,
  { root, lastPlace }: Pick<Paths, 'root' | 'lastPlace'>,
  { storage, registryDataDirectory: to }: Pick<Settings, 'storage' | 'registryDataDirectory'>,
): Promise<Route | undefined> {
  if (storage.kind !== 'filesystem') return undefined;
  const begun = begunIn(await journal.interrupted());
  if (begun?.from === to) return undefined;
  if (begun?.to === to) return { from: begun.from, to, begun: true };
  if (begun !== undefined) throw unfinished(begun, `npm run storage -- move ${to}`); // each puts its own into .env
  const last = await readLastPlace(lastPlace);
  if (last === undefined || last.place === to || !isAbsolute(last.place)) return undefined;
  const from = last.place;
  if (await isMarkedNew(to, { checkout: root, from })) return { from, to, begun: true };
  const comes = (await holdsImages(from)) && !(await holdsImages(to));
  return comes ? { from, to, begun: false } : undefined;
}

/** How long so many bytes take, in ms. */
export function guessedTime(bytes: number): number {
  return (bytes / GUESSED) * 1000;
}
