import { join } from 'node:path';
import { CHECKER } from '../../access/prover.ts';
import { connect } from '../../engine/connect.ts';
import { unreachable } from '../../errors.ts';
import { readInventory } from '../../inventory/inventory.ts';
import { openTree } from '../../inventory/open.ts';
import { lock, registryRuns } from '../../move/close.ts';
import type { FarTask } from '../../move/far.ts';
import { hashBlobs } from '../../move/hash-blobs.ts';
import { type Survey, surveyOf } from '../../move/survey.ts';
import { Secret } from '../../secret.ts';
import { loadSettings } from '../../settings/load.ts';
import { stopStack } from '../../stack/stop.ts';
import type { Report } from '../../step.ts';
import { hashPassword } from '../../users/password.ts';
import { removeTemporaryUser } from '../../users/temporary-user.ts';
import { addUser } from '../../users/users.ts';
import type { App } from '../app.ts';
import { movingParts } from './travel.ts';

/**
 * Does what `move-to` on another machine asks this one for.
 * @param input the password of `admit`
 * @returns what is printed as JSON
 */
export async function doFarTask(
  app: App,
  task: FarTask,
  input: () => Promise<string>,
  report: Report,
): Promise<object> {
  const { paths, environment } = app;
  switch (task) {
    case 'survey':
      return surveyHere(app, report);
    case 'admit': {
      const password = new Secret(await input());
      await removeTemporaryUser(paths.usersFile, CHECKER);
      await addUser(paths.usersFile, CHECKER, await hashPassword(password));
      return {};
    }
    case 'dismiss':
      await removeTemporaryUser(paths.usersFile, CHECKER);
      return {};
    case 'close': {
      const parts = movingParts(app, await loadSettings(paths, environment));
      if (await registryRuns(parts)) await lock(parts).catch(() => stop(app, report)); // a broken one takes none then
      return {};
    }
    case 'stop':
      await stop(app, report);
      return {};
    default:
      return unreachable(task);
  }
}

async function stop(app: App, report: Report): Promise<void> {
  const settings = await loadSettings(app.paths, app.environment);
  await stopStack({ ...app, engine: connect(app.environment.DOCKER_HOST) }, settings, report);
}

async function surveyHere({ paths, clock, environment }: App, report: Report): Promise<Survey> {
  const settings = await loadSettings(paths, environment);
  const { repositories } = await readInventory(await openTree(settings, clock));
  const blobs =
    settings.storage.kind === 'filesystem'
      ? await hashBlobs(settings.registryDataDirectory, join(paths.state, 'move/hashed'), report)
      : undefined;
  return { repositories: surveyOf({ repositories }), ...(blobs === undefined ? {} : { blobs }) };
}
