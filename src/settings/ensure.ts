import { WrongInput } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { changed, type Done, unchanged } from '../step.ts';
import { ensureEnvFile } from './env-file.ts';
import { gateProblems } from './gate-files.ts';
import { loadSettings } from './load.ts';
import { providedProblems } from './provided-folder.ts';
import { type IssuerName, registryUrl, type Settings } from './settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const CERTIFICATE: Readonly<Record<IssuerName, string>> = {
  certbot: 'certificate by certbot',
  acme: 'certificate by ACME',
  local: 'certificate by a CA of your own',
  provided: 'certificate from TLS_CERT_FILE',
  none: 'no certificate',
};

/**
 * The settings, from a `.env` that is made from `.env.dist` when there is none.
 * @throws WrongInput before anything is written
 */
export async function ensureSettings(paths: Paths, environment: Environment): Promise<Done<Settings>> {
  const settings = await loadSettings(paths, environment);
  const problems = [
    ...(settings.issuer === 'provided' && settings.provided !== undefined
      ? await providedProblems(settings.provided)
      : []),
    ...(await gateProblems(paths, settings)),
  ];
  if (problems.length > 0) throw new WrongInput(problems);
  const made = await ensureEnvFile(paths);
  const summary = `${registryUrl(settings)}, ${CERTIFICATE[settings.issuer]}`;
  return made ? changed(`.env made from .env.dist: ${summary}`, settings) : unchanged(summary, settings);
}
