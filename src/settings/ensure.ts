import type { Paths } from '../paths.ts';
import { changed, type Done, unchanged } from '../step.ts';
import { ensureEnvFile } from './env-file.ts';
import { loadSettings } from './load.ts';
import { registryAuthority, type Settings } from './settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The settings, from a `.env` that is made from `.env.dist` when there is none.
 * @throws WrongInput before anything is written
 */
export async function ensureSettings(paths: Paths, environment: Environment): Promise<Done<Settings>> {
  const settings = await loadSettings(paths, environment);
  const made = await ensureEnvFile(paths);
  const summary = `https://${registryAuthority(settings)}, certificate by ${settings.issuer}`;
  return made ? changed(`.env made from .env.dist: ${summary}`, settings) : unchanged(summary, settings);
}
