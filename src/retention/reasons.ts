import type { Repository, Tag } from '../inventory/inventory.ts';
import { isReadable, subjectOfTag } from './family.ts';
import type { Rule } from './rules.ts';

/** What keeps a tag. `rule` is the name of one. */
export type Reason =
  | { readonly kind: 'immutable' }
  | { readonly kind: 'tag'; readonly rule: string; readonly pattern: string }
  | { readonly kind: 'last'; readonly rule: string; readonly rank: number; readonly last: number }
  | { readonly kind: 'days'; readonly rule: string; readonly days: number }
  /** It is about a digest that stays. */
  | { readonly kind: 'follows'; readonly subject: string }
  /** It is about a digest that there is not, and which may be on its way. */
  | { readonly kind: 'young'; readonly days: number }
  /** What it stands for can't be read. */
  | { readonly kind: 'damaged' };

interface Facts {
  readonly now: Date;
  readonly immutable: (tag: string) => boolean;
}

const DAY = 86_400_000;

/** The tags that are kept by themselves, with all that keeps each. Tags that follow a digest are kept by name alone. */
export function judgeTags(
  repository: Repository,
  rules: readonly Rule[],
  { now, immutable }: Facts,
): Map<Tag, readonly Reason[]> {
  const ranks = ranked(repository);
  const kept = new Map<Tag, readonly Reason[]>();
  for (const tag of repository.tags) {
    const rank = ranks.get(tag);
    const reasons: Reason[] = [
      ...(isReadable(repository, tag) ? [] : [{ kind: 'damaged' } as const]),
      ...(immutable(tag.name) ? [{ kind: 'immutable' } as const] : []),
      ...rules.flatMap((rule) => byName(rule, tag)),
      ...(rank === undefined ? [] : rules.flatMap((rule) => byTime(rule, tag, rank, now))),
    ];
    if (reasons.length > 0) kept.set(tag, reasons);
  }
  return kept;
}

/** The place of each tag of a person's: 1 was pushed last. Those pushed in the same moment have an order all the same. */
function ranked(repository: Repository): Map<Tag, number> {
  const counted = repository.tags.filter(
    (tag) => subjectOfTag(tag.name) === undefined && isReadable(repository, tag),
  );
  counted.sort(
    (one, other) => other.pushed.getTime() - one.pushed.getTime() || (one.name > other.name ? -1 : 1),
  );
  return new Map(counted.map((tag, index) => [tag, index + 1]));
}

function byName({ name: rule, tags }: Rule, tag: Tag): Reason[] {
  const glob = tags.find(({ matches }) => matches(tag.name));
  return glob === undefined ? [] : [{ kind: 'tag', rule, pattern: glob.text }];
}

function byTime({ name: rule, last, days }: Rule, { pushed }: Tag, rank: number, now: Date): Reason[] {
  const isLast = last !== undefined && rank <= last;
  const isYoung = days !== undefined && now.getTime() - pushed.getTime() < days * DAY;
  return [
    ...(isLast ? [{ kind: 'last', rule, rank, last } as const] : []),
    ...(isYoung ? [{ kind: 'days', rule, days } as const] : []),
  ];
}
