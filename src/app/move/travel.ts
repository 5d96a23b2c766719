import { hostname } from 'node:os';
import type { Teller } from '../../cli/story.ts';
import type { CollectionParts } from '../../collection/parts.ts';
import { connect } from '../../engine/connect.ts';
import type { Engine } from '../../engine/engine.ts';
import { WrongInput } from '../../errors.ts';
import type { Journal } from '../../journal.ts';
import { type Goal, identityOf, type MoveStep } from '../../move/course.ts';
import type { Far } from '../../move/far.ts';
import type { Disks } from '../../move/images.ts';
import { httpSecretOf, type StagedState } from '../../move/state.ts';
import { parseDestination } from '../../remote/destination.ts';
import { hostInWords } from '../../remote/host.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Move } from '../../stack/moved.ts';
import { type Done, unchanged } from '../../step.ts';
import { withLock } from '../../system/lock.ts';
import { type App, lockFile, openJournal } from '../app.ts';
import { openCollection } from '../collection.ts';
import { type Asked, openHeld } from '../open-host.ts';
import { withStorageAsItIs } from '../storage.ts';

/** Who holds the locks of a move. */
export const WHO = 'npm run move-to';

/** What a move works with. */
export interface Travel {
  readonly app: App;
  readonly engine: Engine;
  readonly settings: Settings;
  /** As a collection has them, with the journal of the move. */
  readonly parts: CollectionParts;
  readonly journal: Journal;
  readonly goal: Goal;
  readonly far: Far;
  /** Of the registry. */
  readonly id: string;
}

/**
 * Connects to the other machine, where nobody else changes the checkout then. Whoever calls it closes `far.host`.
 * @throws WrongInput, and those of `openHeld`
 */
export async function openTravel(
  app: App,
  settings: Settings,
  goal: Goal,
  asked: Asked | undefined,
): Promise<Done<Travel>> {
  const { paths, environment } = app;
  const destination = parseDestination(goal.to);
  if (typeof destination === 'string') throw new WrongInput([{ input: goal.to, message: destination }]);
  const id = identityOf(await httpSecretOf(paths, environment));
  const parts = movingParts(app, settings);
  const host = await openHeld(app, destination, asked, { folder: goal.folder, command: WHO });
  const { engine, journal } = parts;
  const travel = { app, engine, settings, parts, journal, goal, far: { host, folder: goal.folder }, id };
  return unchanged(hostInWords(host), travel);
}

/** What a collection touches is what closing touches. */
export function movingParts(app: App, settings: Settings): CollectionParts {
  const parts = openCollection(app, settings, connect(app.environment.DOCKER_HOST));
  return { ...parts, journal: openJournal(app, 'move-to') };
}

/** What is written here when it has gone, and there while it comes. */
export function movesOf({ app, goal, far, id }: Travel): { readonly gone: Move; readonly coming: Move } {
  const since = app.clock.now();
  return {
    gone: { kind: 'gone', id, other: far.host.name, folder: goal.folder, since },
    coming: { kind: 'coming', id, other: hostname(), folder: app.paths.root, since },
  };
}

/** How a course is told. */
export interface Told {
  readonly teller: Teller;
  /** Gets what init-tls there tells, line by line. */
  readonly tell: (line: string) => void;
}

/** Where images are copied from and to; `undefined` where they are in a bucket. */
export function disksOf({ settings }: Travel, { data }: StagedState): Disks | undefined {
  return data === undefined ? undefined : { here: settings.registryDataDirectory, there: data };
}

/** Notes how far it is. */
export function reach({ journal }: Travel, step: MoveStep): Promise<void> {
  return journal.reach(step);
}

/**
 * Runs `work` while no other command changes what is stored, or the stack.
 * @throws Failure `locked`
 */
export function exclusively<T>(app: App, work: () => Promise<T>): Promise<T> {
  return withStorageAsItIs(app, WHO, () => withLock(lockFile(app, 'init-tls'), WHO, app.clock, work));
}
