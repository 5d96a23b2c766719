import { z } from 'zod';
import { counted } from '../counted.ts';
import type { Inventory } from '../inventory/inventory.ts';

/** What a machine has, as it says itself. */
export const survey = z.object({
  repositories: z.array(
    z.object({
      name: z.string(),
      /** Digest by tag. */
      tags: z.record(z.string(), z.string()),
      /** Digests of manifests, those whose content is lost included. */
      manifests: z.array(z.string()),
    }),
  ),
  /** `undefined` where images are in a bucket. */
  blobs: z
    .object({
      count: z.number(),
      bytes: z.number(),
      /** Hex digits of those whose content is not what their name says. */
      wrong: z.array(z.string()),
    })
    .optional(),
});

export type Survey = z.infer<typeof survey>;

/** Repositories that ever had an image. A folder that only an upload made is none. */
export function surveyOf({ repositories }: Inventory): Survey['repositories'] {
  return repositories
    .map(({ name, tags, manifests, damaged }) => ({
      name,
      tags: Object.fromEntries(tags.map((tag) => [tag.name, tag.digest])),
      manifests: [...manifests.keys(), ...damaged].sort(),
    }))
    .filter(({ tags, manifests }) => Object.keys(tags).length + manifests.length > 0);
}

/** What one machine has otherwise than another, such as `team/app:1.0`. Pure. */
export function differences(
  before: Survey['repositories'],
  after: Survey['repositories'],
): readonly string[] {
  const [one, other] = [referencesOf(before), referencesOf(after)];
  const names = new Set([...one.keys(), ...other.keys()]);
  return [...names].filter((name) => one.get(name) !== other.get(name)).sort();
}

/** What the second one has and the first one has not, or has otherwise. Pure. */
export function additions(before: Survey['repositories'], after: Survey['repositories']): readonly string[] {
  const known = referencesOf(before);
  return [...referencesOf(after)]
    .filter(([name, digest]) => known.get(name) !== digest)
    .map(([name]) => name);
}

/** What the first one has and the second one has not at all. Pure. */
export function missing(before: Survey['repositories'], after: Survey['repositories']): readonly string[] {
  const known = referencesOf(after);
  return [...referencesOf(before).keys()].filter((name) => !known.has(name));
}

/** The first few of what `differences` and the like tell. */
export function inShort(references: readonly string[]): string {
  return references.slice(0, 5).join(', ') + (references.length > 5 ? ', …' : '');
}

export function countInWords(repositories: Survey['repositories']): string {
  const tags = repositories.reduce((sum, each) => sum + Object.keys(each.tags).length, 0);
  const manifests = repositories.reduce((sum, each) => sum + each.manifests.length, 0);
  return `${counted(tags, 'tag')} and ${counted(manifests, 'manifest')} in ${counted(repositories.length, 'repository', 'repositories')}`;
}

/** By `name:tag` and `name@digest`. */
function referencesOf(repositories: Survey['repositories']): Map<string, string> {
  return new Map(
    repositories.flatMap(({ name, tags, manifests }) => [
      ...Object.entries(tags).map(([tag, digest]) => [`${name}:${tag}`, digest] as const),
      ...manifests.map((digest) => [`${name}@${digest}`, digest] as const),
    ]),
  );
}
