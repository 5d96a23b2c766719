import type { Collected } from '../collection/collect.ts';
import type { Damage } from '../collection/damage.ts';
import { counted } from '../counted.ts';
import { sizeInWords } from '../low-water.ts';

export interface CollectionOutcome {
  readonly dryRun: boolean;
  /** Whether tags that were pruned are given up in it: distribution's rehearsal does not count what they have. */
  readonly pruned?: boolean;
  readonly collected: Collected;
  /** How long writes were refused. */
  readonly seconds: number;
  readonly damage: readonly Damage[];
  readonly before: readonly Damage[];
}

const NAMED = 10;

/** What came of it, in a line. */
export function collectionInWords({ dryRun, pruned, collected, seconds }: CollectionOutcome): string {
  const { blobs, bytes, freed } = collected;
  const many = counted(blobs.length, 'blob');
  if (dryRun)
    return `${sizeInWords(bytes)} in ${many} would be freed${pruned ? ', and what was pruned' : ''}`;
  const by = freed === undefined ? '' : ' by df';
  return `${sizeInWords(Math.max(0, bytes))} freed${by}, ${many}; writes were closed for ${seconds.toFixed(1)} s`;
}

/** The same for programs. */
export function collectionAsJson(outcome: CollectionOutcome): string {
  const { collected, damage, before, ...rest } = outcome;
  const marked = damage.map((each) => ({ ...each, wasBefore: wasBefore(each, before) }));
  return `${JSON.stringify({ ...rest, ...collected, damaged: marked }, null, 2)}\n`;
}

/** Lines that name the images that are not whole, and what to do about them. */
export function damageInWords({
  damage,
  before,
}: Pick<CollectionOutcome, 'damage' | 'before'>): readonly string[] {
  if (damage.length === 0) return [];
  const more = damage.length > NAMED ? [`and ${damage.length - NAMED} more (--json names all)`] : [];
  return [
    'Images that can’t be pulled as a whole:',
    ...damage.slice(0, NAMED).map((each) => inWords(each, before)),
    ...more,
    'Push them again, restore a backup, or delete them by their digest. Writes are open.',
  ];
}

function inWords(damage: Damage, before: readonly Damage[]): string {
  const { repository, tags, digest, missing } = damage;
  const name = tags.length === 0 ? repository : `${repository}:${tags.join(', ')}`;
  const since = wasBefore(damage, before) ? 'it was so before' : 'SINCE NOW';
  return `${name} (${digest}): ${missing.join(', ')} missing; ${since}`;
}

function wasBefore({ repository, digest, missing }: Damage, before: readonly Damage[]): boolean {
  const known = before.find((each) => each.repository === repository && each.digest === digest);
  return missing.every((each) => known?.missing.includes(each) === true);
}
