import { z } from 'zod';
import type { Entry, Journal } from '../journal.ts';

/** In order. Up to `compare` the old place serves. */
export type Step = 'copy' | 'drain' | 'close' | 'quieten' | 'compare' | 'switch' | 'prove' | 'leave';

const facts = z.object({ from: z.string(), to: z.string(), compared: z.coerce.number() });

/** A move that has begun. */
export interface Begun {
  readonly from: string;
  readonly to: string;
  /** When both places were found to be the same and writes were closed, in ms since 1970; 0: not yet. */
  readonly compared: number;
  /** When that was written down, or when it was begun to copy. */
  readonly since: Date;
}

export function begunIn(entry: Entry | undefined): Begun | undefined {
  const found = facts.safeParse(entry?.facts);
  return found.success && entry !== undefined ? { ...found.data, since: entry.since } : undefined;
}

/**
 * Since when the new place may have got what the old one has not, in ms since 1970: somebody may have started the registry
 * on it, and gone back. What `.env` names now does not tell: it may have named the new place meanwhile.
 */
export function servedSince({ compared, since }: Begun): number {
  return compared > 0 ? compared : since.getTime();
}

export async function noteBegun(
  journal: Journal,
  { from, to, compared }: Omit<Begun, 'since'>,
  step: Step,
): Promise<void> {
  await journal.begin({ from, to, compared: String(compared) });
  await journal.reach(step);
}
