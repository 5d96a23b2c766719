import { join } from 'node:path';
import { isImmutable } from '../access/rights.ts';
import { Failure, isDenied } from '../errors.ts';
import { type Inventory, readInventory } from '../inventory/inventory.ts';
import { openTree } from '../inventory/open.ts';
import {
  type Applied,
  applyPlan,
  type Closed,
  hasten,
  recover,
  type Storehouse,
  waitingLonger,
} from '../retention/apply.ts';
import { type DailyParts, removedInWords } from '../retention/daily.ts';
import { readCopy } from '../retention/handed-on.ts';
import { type Plan, planRetention } from '../retention/plan.ts';
import { PrunedFile, type Remembered } from '../retention/pruned.ts';
import { type Retention, rulesFor } from '../retention/rules.ts';
import { bringBackTags, chooseReturns, type Returned } from '../retention/undo.ts';
import { loadSettings } from '../settings/load.ts';
import type { Settings } from '../settings/settings.ts';
import { expectOwnState } from '../stack/folders.ts';
import { expectSetUp } from '../stack/set-up.ts';
import { withWritesClosed } from '../stack/writes.ts';
import { readPolicy } from '../users/overview.ts';
import { type App, openApp, openEvents, openHost } from './app.ts';
import { withImagesInPlace, withStorage } from './storage.ts';

/** A look at the registry: what there is, and what the rules make of it. */
export interface Assessment {
  readonly inventory: Inventory;
  readonly remembered: readonly Remembered[];
  readonly plan: Plan;
}

/**
 * Root may run it in the checkout of somebody else: the registry's files are often root's, and the state stays whose it is.
 * @throws Failure `foreign-state`, `not-set-up`
 */
export async function openPrune(): Promise<{ app: App; settings: Settings }> {
  const app = openApp();
  if (!openHost(app).root) await expectOwnState(app.paths);
  await expectSetUp(app.paths);
  return { app, settings: await loadSettings(app.paths, app.environment) };
}

/** Writes of a tag that nginx had let in before it refused them have ended by then: each is a few small objects. */
const LET_IN_BEFORE = 2_000;

export async function openStorehouse(app: App, settings: Settings): Promise<Storehouse> {
  const { clock, paths } = app;
  const reopen = () => openTree(settings, clock);
  const closed: Closed = (work) =>
    withWritesClosed({ paths, settings, clock }, 'prune', async (writes) => {
      await writes.enter('closed');
      await clock.sleep(LET_IN_BEFORE);
      return work(() => writes.expectHeld());
    });
  return { tree: await reopen(), reopen, closed, pruned: new PrunedFile(paths.pruned), clock };
}

/** @throws WrongInput where access.yaml can't be read: what is immutable is not known then */
export async function assess(
  app: App,
  { auth }: Settings,
  { tree, pruned, clock }: Storehouse,
  retention: Retention,
): Promise<Assessment> {
  const policy = auth.by === 'gate' ? await readPolicy(app.paths.accessFile) : undefined;
  const immutable = (repository: string, tag: string) =>
    policy !== undefined && isImmutable(policy, repository, tag);
  const [inventory, remembered] = [await readInventory(tree), await pruned.read()];
  return {
    inventory,
    remembered,
    plan: planRetention(inventory, retention, { now: clock.now(), remembered, immutable }),
  };
}

/**
 * Looks again, under the lock, and removes what goes.
 * @param agreed what a person has seen and agreed to: no more than that goes
 */
export async function prune(
  app: App,
  settings: Settings,
  retention: Retention,
  agreed?: Plan,
): Promise<Applied | undefined> {
  return asWriter(settings, () =>
    withImagesInPlace(app, settings, 'npm run prune', async () => {
      const house = await openStorehouse(app, settings);
      await recover(house);
      const { plan } = await assess(app, settings, house, retention);
      const wanted = agreed === undefined ? plan : inBoth(plan, agreed);
      if (isEmpty(wanted)) return undefined;
      return applyPlan(house, wanted, retention.undoDays);
    }),
  );
}

/**
 * Brings back what is named, or what the last run removed.
 * @throws WrongInput for what was never removed, or is forgotten
 */
export async function undo(
  app: App,
  settings: Settings,
  names: readonly string[],
): Promise<readonly Returned[]> {
  return asWriter(settings, () =>
    withImagesInPlace(app, settings, 'npm run prune -- --undo', async () => {
      const house = await openStorehouse(app, settings);
      const chosen = chooseReturns(await house.pruned.read(), names);
      await recover(house);
      const returned = await bringBackTags(house, chosen);
      const back = returned.filter(({ outcome }) => outcome === 'back').length;
      if (back > 0) await openEvents(app).record('prune', 'done', `${back} removed tags brought back`);
      return returned;
    }),
  );
}

/** How much of what was removed before `giveUpEarlier` concerns. */
export function toGiveUpEarlier(
  { remembered }: Pick<Assessment, 'remembered'>,
  rules: Retention,
  undoDays: number | undefined,
): number {
  return undoDays === undefined ? 0 : waitingLonger(remembered, meantBy(rules), undoDays).length;
}

/** Gives up earlier what was removed before. */
export async function giveUpEarlier(app: App, rules: Retention): Promise<void> {
  await withStorage(app, 'npm run prune', () =>
    hasten({ pruned: new PrunedFile(app.paths.pruned) }, meantBy(rules), rules.undoDays),
  );
}

function meantBy(retention: Retention): (repository: string) => boolean {
  return (repository) => rulesFor(retention, repository).length > 0;
}

export async function recordPruned(app: App, applied: Applied): Promise<void> {
  await openEvents(app).record('prune', 'done', removedInWords(applied));
}

/** For the daemon. */
export function dailyPrune(app: App, settings: Settings): DailyParts {
  const { paths, clock } = app;
  return {
    clock,
    events: openEvents(app),
    stateFile: join(paths.state, 'retention.json'),
    seed: `${settings.project} ${settings.domain}`,
    readRules: async () => (await readCopy(paths))?.retention,
    prune: (retention) => prune(app, settings, retention),
  };
}

/** Whether there is nothing to do. */
export function isEmpty({ repositories }: Plan): boolean {
  return repositories.every(({ going, untagged }) => going.length === 0 && untagged.length === 0);
}

/**
 * Runs what writes to the registry's files.
 * @throws Failure `not-writable` where they are somebody else's
 */
async function asWriter<T>({ registryDataDirectory }: Settings, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isDenied(error)) throw error;
    throw new Failure(
      'not-writable',
      `The registry's files in ${registryDataDirectory} belong to another user than the one that runs this (${process.getuid?.()}).`,
      'Run it as root: sudo npm run prune -- …',
      { cause: error },
    );
  }
}

/** What was planned and is still so. */
function inBoth(plan: Plan, agreed: Plan): Plan {
  const known = new Set(
    agreed.repositories.flatMap(({ name, going, manifests }) => [
      ...going.map(({ tag, digest }) => `${name}:${tag}@${digest}`),
      ...manifests.map(({ digest }) => `${name}@${digest}`),
    ]),
  );
  const repositories = plan.repositories.map((each) => ({
    ...each,
    going: each.going.filter(({ tag, digest }) => known.has(`${each.name}:${tag}@${digest}`)),
    untagged: each.untagged.filter(({ digest }) => known.has(`${each.name}@${digest}`)),
    manifests: each.manifests.filter(({ digest }) => known.has(`${each.name}@${digest}`)),
  }));
  return { ...plan, repositories };
}
