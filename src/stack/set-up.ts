import { Failure } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { readIfExists } from '../system/files.ts';

/**
 * For commands that have nothing to work on in a fresh clone: `init-tls` writes `.env` first of all.
 * @throws Failure `not-set-up`
 */
export async function expectSetUp({ envFile }: Pick<Paths, 'envFile'>): Promise<void> {
  if ((await readIfExists(envFile)) !== undefined) return;
  throw new Failure('not-set-up', 'There is no registry here yet.', 'Make one: npm run init-tls -- --yes');
}
