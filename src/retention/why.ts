import { WrongInput } from '../errors.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { nearest } from '../nearest.ts';
import { Family, subjectOfTag } from './family.ts';
import type { Plan, RepositoryPlan } from './plan.ts';
import type { Remembered } from './pruned.ts';
import type { Reason } from './reasons.ts';

/** What becomes of a tag or a manifest, and why. */
export type Answer =
  | { readonly kind: 'stays'; readonly because: readonly Reason[] }
  /** A manifest that these tags, or what they stand for, need. */
  | { readonly kind: 'needed'; readonly by: readonly string[] }
  /** `subject`: that is what goes, and this with it. */
  | { readonly kind: 'goes'; readonly subject?: string | undefined }
  /** A manifest that goes with these tags. */
  | { readonly kind: 'goes-with'; readonly tags: readonly string[] }
  | { readonly kind: 'removed'; readonly at: Date; readonly until: Date }
  | { readonly kind: 'unnamed' }
  | { readonly kind: 'damaged' }
  /** A manifest that no tag leads to; it may be in the middle of a push, or belong to one that is. */
  | { readonly kind: 'young' };

/**
 * @param reference `repository:tag` or `repository@sha256:…`, of which the first digits do
 * @throws WrongInput where there is no such thing, naming what is near
 */
export function explain(
  reference: string,
  inventory: Inventory,
  plan: Plan,
  remembered: readonly Remembered[],
): Answer {
  const [, name = '', mark, what = ''] = /^([^:@]+)([:@])(.+)$/.exec(reference) ?? [];
  if (mark === undefined) throw wrong(reference, 'is neither REPOSITORY:TAG nor REPOSITORY@sha256:DIGEST');
  const repository = inventory.repositories.find((each) => each.name === name);
  if (repository === undefined) {
    const near = nearest(
      name,
      inventory.repositories.map((each) => each.name),
    );
    throw wrong(reference, `there is no repository ${name}${near}`);
  }
  const planned = plan.repositories.find((each) => each.name === name);
  const past = remembered.filter((each) => each.repository === name);
  if (mark === ':') {
    const entry = past.find((each) => each.tag === what);
    const tag = repository.tags.find((each) => each.name === what);
    if (tag !== undefined) return planned === undefined ? { kind: 'unnamed' } : ofTag(what, planned);
    if (entry !== undefined) return { kind: 'removed', at: entry.at, until: entry.until };
    const near = nearest(
      what,
      repository.tags.map((each) => each.name),
    );
    throw wrong(reference, `${name} has no tag ${what}${near}`);
  }
  if (repository.damaged.some((each) => each.startsWith(what))) return { kind: 'damaged' };
  const digest = [...repository.manifests.keys()].find((each) => each.startsWith(what));
  if (digest === undefined || what.length < 'sha256:'.length + 4)
    throw wrong(reference, `${name} has no manifest ${what}`);
  if (planned === undefined) return { kind: 'unnamed' };
  return ofDigest(digest, new Family(repository), planned, past);
}

function ofTag(tag: string, { going, staying }: RepositoryPlan): Answer {
  const stays = staying.find((each) => each.tag === tag);
  if (stays !== undefined) return { kind: 'stays', because: stays.because };
  return { kind: 'goes', subject: going.find((each) => each.tag === tag)?.subject };
}

function ofDigest(
  digest: string,
  family: Family,
  { going, staying, untagged }: RepositoryPlan,
  past: readonly Remembered[],
): Answer {
  const leading = <T extends { readonly digest: string }>(tags: readonly T[]) =>
    tags.filter((tag) => family.of([tag.digest]).has(digest));
  const by = leading(staying).map(({ tag }) => tag);
  if (by.length > 0) return { kind: 'needed', by };
  const tags = leading(going).map(({ tag }) => tag);
  if (tags.length > 0) return { kind: 'goes-with', tags: people(tags) };
  const entry = leading(past).at(-1);
  if (entry !== undefined) return { kind: 'removed', at: entry.at, until: entry.until };
  return leading(untagged).length > 0 ? { kind: 'goes' } : { kind: 'young' };
}

/** A signature's tag goes with that of the image, which says more. */
function people(tags: readonly string[]): readonly string[] {
  const own = tags.filter((tag) => subjectOfTag(tag) === undefined);
  return own.length > 0 ? own : tags;
}

function wrong(input: string, message: string): WrongInput {
  return new WrongInput([{ input, message }]);
}
