import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from '../engine/connect.ts';
import { connectHoldings } from '../engine/docker-holdings.ts';
import { removeEngineProxy } from '../host/engine-proxy.ts';
import { gatherFacts } from '../host/facts.ts';
import { uninstallUnit } from '../host/install-unit.ts';
import { Made } from '../host/made.ts';
import { projectOfUnit } from '../host/units-of.ts';
import { leaveToContainer } from '../settings/unattended.ts';
import { expectOwnState } from '../stack/folders.ts';
import { readMove } from '../stack/moved.ts';
import type { Report } from '../step.ts';
import { isThere } from '../system/files.ts';
import { withLock, withLockInTurn } from '../system/lock.ts';
import { removeTrust } from '../trust/remove.ts';
import { carryOut, type Hands, type Outcome, type Tell } from '../uninstall/carry-out.ts';
import { LOCKS } from '../uninstall/files.ts';
import { removerOfFiles } from '../uninstall/files-gone.ts';
import type { Found } from '../uninstall/found.ts';
import { gatherFound } from '../uninstall/gather.ts';
import { expectNoneInNeed } from '../uninstall/half-done.ts';
import { type Plan, planUninstall } from '../uninstall/plan.ts';
import { type App, lockFile, openEvents, openHost } from './app.ts';
import { openProxyMachine } from './proxy.ts';
import { withStorageAsItIs } from './storage.ts';
import { openTrustMachine } from './trust.ts';
import { openServiceManager } from './unit.ts';

const WHO = 'npm run uninstall';
/** A renewal that is under way is better finished; it takes a minute. */
const PATIENCE = 120_000;

export interface PlannedRemoval {
  readonly found: Found;
  readonly plan: Plan;
}

/** @throws Failure where to go on would harm somebody */
export async function planRemoval(app: App, purge: boolean): Promise<PlannedRemoval> {
  const { root } = openHost(app);
  if (!root) await expectOwnState(app.paths);
  const found = await gatherFound({
    ...app,
    holdings: connectHoldings(app.environment.DOCKER_HOST),
    engineInstalled: () => engineInstalled(app),
    units: openServiceManager(app).units,
    movedTo: (await readMove(app.paths).catch(() => undefined))?.other,
  });
  expectNoneInNeed(found.halfDone, purge);
  return { found, plan: planUninstall(found, { purge, root }) };
}

/**
 * Looks again while no other command is at work, and removes what it finds.
 * @throws Failure `locked`
 */
export async function uninstall(app: App, purge: boolean, tell: Tell, onWait: Report): Promise<Outcome> {
  const outcome = await exclusively(app, onWait, async () => {
    const { found, plan } = await planRemoval(app, purge);
    const done = await carryOut(plan.actions, openHands(app, found, purge), tell);
    const remains = [...plan.remains, ...done.remains];
    if (purge) await forgetLocks(app);
    else if (done.removed.length > 0 && (await isThere(app.paths.state)))
      await openEvents(app).record('uninstall', 'done', 'the stack was taken away; its data stays');
    return { removed: done.removed, kept: [...plan.kept, ...done.kept], remains };
  });
  if (purge)
    for (const folder of [join(app.paths.state, LOCKS), app.paths.state])
      await rmdir(folder).catch(() => undefined); // somebody's own files are in it
  return outcome;
}

function openHands(app: App, found: Found, purge: boolean): Hands {
  const { paths, environment } = app;
  const { root } = openHost(app);
  const made = new Made(paths.made);
  const keep = async () => [
    ...found.own,
    ...((await made.all()).length > 0 ? [paths.made] : []), // the next run needs it
  ];
  return {
    holdings: connectHoldings(environment.DOCKER_HOST),
    removeUnit: async (name) => {
      await uninstallUnit(openServiceManager(app), { project: projectOfUnit(name), checkout: paths.root });
      if (!purge && (await isThere(paths.envFile))) await leaveToContainer(paths);
    },
    removeMade: (purpose, report) => takeBack(app, made, purpose, report),
    removeFiles: removerOfFiles(found, { engine: connect(environment.DOCKER_HOST), root }, keep),
  };
}

/** Takes away what was made for a purpose, and tells who reads it. The paths that stay, as somebody changed them. */
async function takeBack(app: App, made: Made, purpose: string, report: Report): Promise<readonly string[]> {
  switch (purpose) {
    case 'trust':
      return (await removeTrust(openTrustMachine(app), undefined)).value;
    case 'proxy': // the stack is gone by now, and the plan has said that Docker restarts
      return (await removeEngineProxy(openProxyMachine(app), async () => true, report)).value;
    default:
      return (await made.remove(purpose)).changed;
  }
}

/** A checkout that has no state has nobody at work in it. */
async function exclusively<T>(app: App, onWait: Report, work: () => Promise<T>): Promise<T> {
  const { paths, clock } = app;
  if (!(await isThere(paths.state))) return work();
  const turn = { path: lockFile(app, 'certificate'), what: WHO, clock, patience: PATIENCE, onWait };
  const alone = () => withStorageAsItIs(app, WHO, () => withLockInTurn(turn, work));
  return withLock(lockFile(app, 'move-to'), WHO, clock, () =>
    withLock(lockFile(app, 'init-tls'), WHO, clock, alone),
  );
}

const HELD = ['move-to', 'init-tls', 'storage', 'certificate'];
const CANDIDATE = /\.[0-9a-f-]{36}$/;

/** Those of commands that were killed. Ours go by themselves. */
async function forgetLocks({ paths }: App): Promise<void> {
  const folder = join(paths.state, LOCKS);
  const names = await readdir(folder).catch((): string[] => []);
  for (const name of names)
    if (!HELD.includes(name) && !CANDIDATE.test(name)) await rm(join(folder, name), { force: true });
}

async function engineInstalled(app: App): Promise<boolean> {
  const { dockerHost } = openHost(app);
  return dockerHost !== undefined || (await gatherFacts(openHost(app))).dockerd !== undefined;
}
