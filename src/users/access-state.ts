import { join } from 'node:path';
import { z } from 'zod';
import type { Problem } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { readIfExists } from '../system/files.ts';

/** What the gate has made of the files of users, roles and tokens. */
export interface AccessState {
  /** Each with file and line. */
  readonly problems: readonly Problem[];
  /** Whether files that are wrong still have their last good content in force; if not, nobody gets in. */
  readonly inForce: boolean;
}

const state = z.object({
  problems: z.array(z.object({ input: z.string(), message: z.string() })),
  inForce: z.boolean(),
});

/** `undefined` where no gate has looked at the files yet. */
export async function readAccessState({ gate }: Pick<Paths, 'gate'>): Promise<AccessState | undefined> {
  const text = await readIfExists(accessStateFile(gate));
  return text === undefined ? undefined : state.parse(JSON.parse(text));
}

/** @param folder the gate's own */
export function accessStateFile(folder: string): string {
  return join(folder, 'rules.json');
}
