import { repositoriesBelow } from '../inventory/inventory.ts';
import { tagLink } from '../inventory/layout.ts';
import type { Tree } from '../inventory/tree.ts';
import type { Clock } from '../system/clock.ts';
import type { Plan } from './plan.ts';
import type { PrunedFile, Remembered } from './pruned.ts';
import {
  asideLink,
  bringBack,
  canMove,
  drop,
  isAsPlanned,
  leftAside,
  type MovingTree,
  type Planned,
  setAside,
  tagFolder,
} from './untag.ts';

/** Where tags are removed from. */
export interface Storehouse {
  readonly tree: Tree;
  /** The same as it is now: a bucket's listing is a picture of the moment it was opened. */
  readonly reopen: () => Promise<Tree>;
  /** A bucket needs it, as nothing is moved there in one step. */
  readonly closed: Closed;
  readonly pruned: PrunedFile;
  readonly clock: Clock;
}

/**
 * Does something while nothing is pushed. `expectClosed` is called before each change, and throws when that is no longer
 * so.
 */
export type Closed = <T>(work: (expectClosed: () => void) => Promise<T>) => Promise<T>;

export interface Applied {
  /** Names the run, for who brings things back. */
  readonly run: string;
  readonly removed: number;
  /** `repository:tag` of those that were pushed anew, or removed by somebody else, since the plan was made. */
  readonly changed: readonly string[];
  /** Manifests without a tag that are given up with them. */
  readonly untagged: number;
}

/** A push that has opened a link writes it within microseconds; a machine out of breath takes longer. */
const LINKS_ARE_WRITTEN_IN = 1_000;
const DAY = 86_400_000;

/**
 * Removes the tags that go, and remembers them first: a run that is killed can be brought back too. Manifests and blobs
 * stay where they are, until a collection after `undoDays`. Under the lock of the storage.
 */
export async function applyPlan(house: Storehouse, plan: Plan, undoDays: number): Promise<Applied> {
  const at = house.clock.now();
  const entries = entriesOf(plan, at, undoDays);
  await house.pruned.add(entries);
  const tagged = entries.filter(hasTag);
  const removed = await removeTags(house, tagged).catch(async (error) => {
    await house.pruned.forget(await notRemoved(house.tree, entries)).catch(() => undefined);
    throw error;
  });
  const changed = tagged.filter((entry) => !removed.includes(entry));
  await house.pruned.forget(changed);
  return {
    run: at.toISOString(),
    removed: removed.length,
    changed: changed.map(({ repository, tag }) => `${repository}:${tag}`),
    untagged: plan.repositories.reduce((sum, { untagged }) => sum + untagged.length, 0),
  };
}

/** What was removed before, in repositories that are meant, and would be given up only later than after `undoDays`. */
export function waitingLonger(
  remembered: readonly Remembered[],
  meant: (repository: string) => boolean,
  undoDays: number,
): readonly Remembered[] {
  return remembered.filter((entry) => meant(entry.repository) && entry.until > endAfter(entry, undoDays));
}

/** Shortens the wait for these, for who wants the room now. Under the lock of the storage. */
export async function hasten(
  { pruned }: Pick<Storehouse, 'pruned'>,
  meant: (repository: string) => boolean,
  undoDays: number,
): Promise<void> {
  const late = waitingLonger(await pruned.read(), meant, undoDays);
  await pruned.add(late.map((entry) => ({ ...entry, until: endAfter(entry, undoDays) })));
}

function endAfter({ at }: Remembered, undoDays: number): Date {
  return new Date(at.getTime() + undoDays * DAY);
}

/** Ends what runs left that were killed between moving a tag and removing it: what was pushed meanwhile comes back. */
export async function recover({ tree, pruned }: Pick<Storehouse, 'tree' | 'pruned'>): Promise<void> {
  if (!canMove(tree)) return;
  const remembered = await pruned.read();
  for (const repository of await repositoriesBelow(tree, ''))
    for (const tag of await leftAside(tree, repository)) {
      const planned = await plannedAside(tree, repository, tag, remembered);
      if (planned !== undefined) await drop(tree, repository, planned);
      else await bringBack(tree, repository, tag);
    }
}

/** What was to be removed of what was left aside, if it is still that. */
async function plannedAside(
  tree: Tree,
  repository: string,
  tag: string,
  remembered: readonly Remembered[],
): Promise<Planned | undefined> {
  const entries = remembered.filter((each) => each.repository === repository && each.tag === tag);
  for (const entry of entries)
    if (await isAsPlanned(tree, asideLink(repository, tag), entry)) return { ...entry, name: tag };
  return undefined;
}

type Tagged = Remembered & { readonly tag: string };

function hasTag(entry: Remembered): entry is Tagged {
  return entry.tag !== undefined;
}

function entriesOf({ repositories }: Plan, at: Date, undoDays: number): Remembered[] {
  const common = { run: at.toISOString(), at, until: new Date(at.getTime() + undoDays * DAY) };
  return repositories.flatMap(({ name: repository, going, manifests }) => [
    ...going.map(({ tag, digest, pushed }) => ({ ...common, repository, tag, digest, pushed })),
    ...manifests.map(({ digest, pushed }) => ({ ...common, repository, digest, pushed })),
  ]);
}

function removeTags(house: Storehouse, entries: readonly Tagged[]): Promise<Tagged[]> {
  const { tree, clock } = house;
  return canMove(tree) ? removeByMoves(tree, clock, entries) : removeClosed(house, entries);
}

/** Of a run that failed. What is given up with the tags is planned anew by the next. */
async function notRemoved(tree: Tree, entries: readonly Remembered[]): Promise<Remembered[]> {
  const still: Remembered[] = [];
  for (const entry of entries)
    if (!hasTag(entry) || (await tree.read(tagLink(entry.repository, entry.tag))) !== undefined)
      still.push(entry);
  return still;
}

async function removeByMoves(tree: MovingTree, clock: Clock, entries: readonly Tagged[]): Promise<Tagged[]> {
  const aside: Tagged[] = [];
  for (const entry of entries) if (await setAside(tree, entry.repository, planned(entry))) aside.push(entry);
  if (aside.length > 0) await clock.sleep(LINKS_ARE_WRITTEN_IN);
  const removed: Tagged[] = [];
  for (const entry of aside) if (await drop(tree, entry.repository, planned(entry))) removed.push(entry);
  return removed;
}

async function removeClosed(
  { closed, reopen }: Pick<Storehouse, 'closed' | 'reopen'>,
  entries: readonly Tagged[],
): Promise<Tagged[]> {
  if (entries.length === 0) return [];
  return closed(async (expectClosed) => {
    const tree = await reopen();
    const removed: Tagged[] = [];
    for (const entry of entries) {
      if (!(await isAsPlanned(tree, tagLink(entry.repository, entry.tag), entry))) continue;
      expectClosed();
      await tree.remove(tagFolder(entry.repository, entry.tag));
      removed.push(entry);
    }
    return removed;
  });
}

function planned({ tag: name, digest, pushed }: Tagged) {
  return { name, digest, pushed };
}
