import { z } from 'zod';
import { changed, type Done, unchanged } from '../step.ts';
import type { Restic } from './restic.ts';
import { TAG } from './snapshots.ts';

/** How many backups stay, by restic's names: `--keep-daily 7` keeps the last of each of the last seven days. */
export type Policy = Readonly<Partial<Record<(typeof KEEP)[number], string>>>;

export const KEEP = [
  'keep-last',
  'keep-hourly',
  'keep-daily',
  'keep-weekly',
  'keep-monthly',
  'keep-yearly',
  'keep-within',
] as const;

const groups = z.array(z.object({ remove: z.array(z.unknown()).nullish() })).nullable();

/** Drops the backups of one registry that the policy does not keep, and what only they had. */
export async function forget(restic: Restic, registry: string, policy: Policy): Promise<Done<number>> {
  const keep = KEEP.flatMap((name) => (policy[name] === undefined ? [] : [`--${name}`, policy[name]]));
  const ours = ['--tag', TAG, '--host', registry, '--group-by', 'host'];
  const found = await restic.askJson(['forget', ...ours, ...keep], (value) => groups.parse(value));
  const dropped = (found ?? []).reduce((sum, { remove }) => sum + (remove?.length ?? 0), 0);
  if (dropped === 0) return unchanged('nothing to drop', 0);
  await restic.ask(['prune']);
  return changed(`${dropped} dropped`, dropped);
}
