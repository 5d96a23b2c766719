import { resolve } from 'node:path';
import { type Problem, WrongInput } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { loadSettings } from '../settings/load.ts';
import { registryUrl } from '../settings/settings.ts';
import { type Done, unchanged } from '../step.ts';
import type { About } from './about.ts';
import { expectEmpty } from './occupied.ts';
import { stagedEnvFile } from './stage-settings.ts';

interface Given {
  readonly paths: Paths;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Where images go on this machine, which has to be fit for the backup; `undefined` when it has none.
 * @param force whatever is here may be moved away
 * @throws Failure `not-empty`, and WrongInput for what can't be here: a file that they name, a storage that is another one
 */
export async function expectFit(
  { paths, environment }: Given,
  about: About,
  force: boolean,
): Promise<Done<string | undefined>> {
  const envFile = stagedEnvFile(paths);
  const settings = await loadSettings({ ...paths, envFile }, environment);
  const problems: Problem[] = [];
  if (about.dataDirectory !== undefined && settings.storage.kind === 's3')
    problems.push({
      input: 'STORAGE',
      message: 'is s3 here, and the images of this backup were in a folder',
    });
  if (about.dataDirectory === undefined && settings.storage.kind === 'filesystem')
    problems.push({
      input: 'STORAGE',
      message: 'is filesystem here, and this backup is one of settings alone',
    });
  if (problems.length > 0) throw new WrongInput(problems);
  const data = about.dataDirectory === undefined ? undefined : settings.registryDataDirectory;
  if (!force) await expectEmpty(paths, envFile, data);
  return unchanged(`${registryUrl(settings)}${data === undefined ? '' : `, images in ${data}`}`, data);
}

/** For commander: the folder of `--data-dir`, absolute. */
export function dataFolder(text: string): string {
  if (!/["'$`\\\n]/.test(text) && text !== '') return resolve(text);
  throw new WrongInput([{ input: '--data-dir', message: `"${text}" is no folder’s name for .env` }]);
}
