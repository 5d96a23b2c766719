import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Paths } from '../paths.ts';
import { readMove } from '../stack/moved.ts';
import { ensureDirectory, writeAtomically } from '../system/files.ts';
import { readAs } from '../system/json.ts';

const shape = z.object({
  /** The machine that it did not go to, or came back from. */
  other: z.string(),
  at: z.coerce.date(),
});

/** The last move that was taken back. */
export type TakenBack = z.infer<typeof shape>;

const MODE = 0o600;

type Place = Pick<Paths, 'state' | 'maintenance'>;

/** It stays on this machine when the registry leaves it. */
export async function noteTakenBack(paths: Pick<Paths, 'state'>, taken: TakenBack): Promise<void> {
  const file = fileOf(paths);
  await ensureDirectory(dirname(file));
  await writeAtomically(file, JSON.stringify(taken), MODE);
}

/** `undefined` where none was, and where the registry has gone, or comes, since. */
export async function readTakenBack(paths: Place): Promise<TakenBack | undefined> {
  if ((await readMove(paths)) !== undefined) return undefined;
  return readAs(fileOf(paths), shape);
}

function fileOf({ state }: Pick<Paths, 'state'>): string {
  return join(state, 'move/taken-back.json');
}
