import { type Problem, WrongInput } from '../../errors.ts';
import { gateProblems } from '../../settings/gate-files.ts';
import { loadSettings } from '../../settings/load.ts';
import { providedProblems } from '../../settings/provided-folder.ts';
import type { Settings } from '../../settings/settings.ts';
import { registryUrl } from '../../settings/settings.ts';
import { readIfExists } from '../../system/files.ts';
import type { Check } from '../check.ts';
import { SOON } from '../check.ts';
import type { Ground } from '../context.ts';
import { broken, type Finding, fine } from '../finding.ts';

export type LoadedSettings =
  | { readonly kind: 'loaded'; readonly settings: Settings }
  | { readonly kind: 'never' }
  | { readonly kind: 'wrong'; readonly problems: readonly Problem[] };

export const settingsCheck: Check<Ground> = {
  name: 'settings',
  group: 'Machine',
  within: SOON,
  run: async (ground) => judgeSettings(await findSettings(ground)),
};

/** The settings, or what keeps them from being settings. */
export async function findSettings({ paths, environment }: Ground): Promise<LoadedSettings> {
  if ((await readIfExists(paths.envFile)) === undefined) return { kind: 'never' };
  try {
    const settings = await loadSettings(paths, environment);
    const provided = settings.issuer === 'provided' ? settings.provided : undefined;
    const problems = [
      ...(provided === undefined ? [] : await providedProblems(provided)),
      ...(await gateProblems(paths, settings)),
    ];
    return problems.length > 0 ? { kind: 'wrong', problems } : { kind: 'loaded', settings };
  } catch (error) {
    if (error instanceof WrongInput) return { kind: 'wrong', problems: error.problems };
    throw error;
  }
}

export function judgeSettings(found: LoadedSettings): Finding {
  switch (found.kind) {
    case 'loaded':
      return fine(`${registryUrl(found.settings)}, TLS by ${found.settings.issuer}`);
    case 'never':
      return broken('there is no .env: this registry was never set up', 'npm run init-tls');
    case 'wrong':
      return broken(
        found.problems.map(({ input, message }) => `${input}: ${message}`).join('\n'),
        'Fix them in .env, then: npm run init-tls',
      );
  }
}
