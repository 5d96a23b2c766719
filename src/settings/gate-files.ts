import { relative } from 'node:path';
import { type Problem, WrongInput } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { readIfExists } from '../system/files.ts';
import type { Settings } from './settings.ts';

/** Rules that nobody would apply are refused: with AUTH=registry whoever has a password may do everything. */
export async function gateProblems(paths: Paths, { auth }: Pick<Settings, 'auth'>): Promise<Problem[]> {
  if (auth.by === 'gate') return [];
  const present = await Promise.all(
    [paths.accessFile, paths.tokensFile].map(async (file) =>
      (await readIfExists(file)) === undefined ? [] : [relative(paths.root, file)],
    ),
  );
  return present.flat().map((file) => ({
    input: 'AUTH',
    message: `registry knows no roles and no tokens, and ${file} is there; use AUTH=gate, or move that file away`,
  }));
}

/** @throws WrongInput where roles and tokens would be without effect */
export function expectGate({ auth }: Pick<Settings, 'auth'>): void {
  if (auth.by === 'gate') return;
  throw new WrongInput([
    { input: 'AUTH', message: 'registry knows no roles and no tokens; use AUTH=gate and run init-tls' },
  ]);
}
