import type { Teller } from '../../cli/story.ts';
import type { Engine } from '../../engine/engine.ts';
import { Failure } from '../../errors.ts';
import { type Route, routeByHand } from '../../relocation/choose.ts';
import { expectApart } from '../../relocation/preconditions.ts';
import type { Settings } from '../../settings/settings.ts';
import { type App, openJournal } from '../app.ts';
import { withStorage } from '../storage.ts';
import { describeMove } from './choice.ts';
import { type Moved, relocate } from './relocation.ts';

/** Seconds that uploads on their way may take to end. */
const WAIT = 300;
/** What the stack that runs can't do for a move. */
const STACK_UNFIT = ['registry-outdated', 'registry-down', 'writes-open', 'no-certificate'];

/**
 * The images that come along to the folder that a person has written into `.env`, if there are any and somebody agrees.
 * What was agreed to before a run was killed is not asked about again.
 * @throws WrongInput for folders in each other
 */
export async function imagesToFollow(
  app: App,
  settings: Settings,
  agreed: (what: string) => Promise<boolean>,
): Promise<Route | undefined> {
  const route = await routeByHand(openJournal(app, 'storage'), app.paths, settings);
  if (route === undefined) return undefined;
  await expectApart(route, settings);
  return route.begun || (await agreed(await describeMove(route))) ? route : undefined;
}

/** Moves them before anything is started on the new folder. */
export async function bringAlong(
  app: App,
  settings: Settings,
  engine: Engine,
  route: Route,
  story: Teller,
): Promise<Moved> {
  const move = { ...route, wait: WAIT, allowDamaged: false, forget: false };
  try {
    return await withStorage(app, 'npm run init-tls', () => relocate(app, settings, engine, move, story));
  } catch (error) {
    if (!(error instanceof Failure) || !STACK_UNFIT.includes(error.code)) throw error;
    throw new Failure(
      error.code,
      `The images can't be moved by the stack as it runs: ${error.message}`,
      `Put REGISTRY_DATA_DIR=${route.from} back into .env and run \`npm run init-tls\`; then: npm run storage -- move ${route.to}`,
      { cause: error },
    );
  }
}
