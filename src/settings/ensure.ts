import type { Paths } from '../paths.ts';
import { changed, type Done, unchanged } from '../step.ts';
import { ensureEnvFile } from './env-file.ts';
import { loadSettings } from './load.ts';
import { registryUrl, type Settings } from './settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The settings, from a `.env` that is made from `.env.dist` when there is none.
 * @throws WrongInput before anything is written
 */
export async function ensureSettings(paths: Paths, environment: Environment): Promise<Done<Settings>> {
  const settings = await loadSettings(paths, environment);
  const made = await ensureEnvFile(paths);
  const from = settings.issuer === 'none' ? 'no certificate' : `certificate by ${settings.issuer}`;
  const summary = `${registryUrl(settings)}, ${from}`;
  return made ? changed(`.env made from .env.dist: ${summary}`, settings) : unchanged(summary, settings);
}
