import type { Engine } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import type { Settings } from '../settings/settings.ts';
import { expectNotPaused, isAlive } from '../stack/alive.ts';
import { isSameFolder } from '../system/files.ts';
import type { Places } from './places.ts';

/** Which of two places the registry has its images in that runs, or that the engine is about to start again. */
export type Served = 'old' | 'new' | 'nobody';

/** Where it is mounted (compose/storage/filesystem.yaml). */
const INSIDE = '/var/lib/registry';

/** @throws Failure `served-elsewhere` when it is neither of them, `part-paused` */
export async function whoServes(
  { containers }: Pick<Engine, 'containers'>,
  { project }: Pick<Settings, 'project'>,
  { from, to }: Places,
): Promise<Served> {
  const found = await containers.ofService(project, 'registry');
  expectNotPaused('registry', found);
  const source = found.find(isAlive)?.mounts.find(({ destination }) => destination === INSIDE)?.source;
  if (source === undefined) return 'nobody';
  if (await isSameFolder(source, from)) return 'old';
  if (await isSameFolder(source, to)) return 'new';
  throw new Failure(
    'served-elsewhere',
    `The registry that runs has its images in ${source}, and not in ${[...new Set([from, to])].join(' or ')}.`,
    'Name in .env the folder that it has (REGISTRY_DATA_DIR) and run `npm run init-tls`; where a move was interrupted: `docker compose stop`. Then run this again.',
  );
}

/**
 * That nobody has started the registry on the new place while images were on their way there: what is in it and not in the
 * old one would be taken away.
 * @throws Failure `served-elsewhere`
 */
export async function expectNotStarted(
  engine: Pick<Engine, 'containers'>,
  settings: Pick<Settings, 'project'>,
  places: Places,
): Promise<void> {
  if ((await whoServes(engine, settings, places)) !== 'new') return;
  throw new Failure(
    'served-elsewhere',
    `Somebody has started the registry on ${places.to} while the images were on their way there.`,
    'Run this again: what is missing there comes along.',
  );
}
