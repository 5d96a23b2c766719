import { dirname, relative } from 'node:path/posix';
import type { Inventory, Repository } from '../inventory/inventory.ts';
import { layerLink, REPOSITORIES, revisionLink, sha256Hex } from '../inventory/layout.ts';
import { Family, isReadable } from './family.ts';
import type { Remembered } from './pruned.ts';

export interface Expired {
  /** To go in this order, so that a collection frees what nothing else needs. */
  readonly manifests: readonly { readonly repository: string; readonly digest: string }[];
  /** Entries that are over: nothing brings these back. */
  readonly over: readonly Remembered[];
  /** Repositories where something can't be read: it might need what is over, so all of it stays until it is mended. */
  readonly unclear: readonly string[];
}

/**
 * What was removed and is given up by now, judged by what there is now: what a tag, an index or a subject needs stays,
 * and so does what was pushed again since, or is still remembered otherwise. Pure.
 */
export function expired(
  inventory: Inventory,
  remembered: readonly Remembered[],
  { now }: { now: Date },
): Expired {
  const ended = remembered.filter(({ until }) => until <= now);
  const repositories = new Map(inventory.repositories.map((each) => [each.name, each]));
  const names = [...new Set(ended.map(({ repository }) => repository))].sort();
  const unclear = names.filter((name) => isUnclear(repositories.get(name)));
  const manifests = names.flatMap((name) => {
    const repository = repositories.get(name);
    if (repository === undefined || unclear.includes(name)) return [];
    const of = (entry: Remembered) => entry.repository === name;
    const held = remembered.filter((entry) => of(entry) && entry.until > now);
    return expiredIn(repository, ended.filter(of), held).map((digest) => ({ repository: name, digest }));
  });
  return { manifests, over: ended.filter(({ repository }) => !unclear.includes(repository)), unclear };
}

/**
 * The folders below `repositories` that tell of these manifests, in the order in which they are to go; as distribution's
 * DELETE removes their links, also that of a layer, as which 2.1 linked manifests.
 */
export function foldersOf({ manifests }: Pick<Expired, 'manifests'>): string[] {
  return manifests.flatMap(({ repository, digest }) => {
    const hex = sha256Hex(digest);
    if (hex === undefined) return [];
    return [revisionLink(repository, hex), layerLink(repository, hex)].map((link) =>
      relative(REPOSITORIES, dirname(link)),
    );
  });
}

function isUnclear(repository: Repository | undefined): boolean {
  if (repository === undefined) return false;
  return repository.damaged.length > 0 || repository.tags.some((tag) => !isReadable(repository, tag));
}

function expiredIn(
  repository: Repository,
  ended: readonly Remembered[],
  held: readonly Remembered[],
): string[] {
  const { manifests, tags } = repository;
  const candidates = new Set(
    ended
      .filter(({ tag, digest, at }) => {
        const manifest = manifests.get(digest);
        return tag === undefined && manifest !== undefined && manifest.pushed <= at;
      })
      .map(({ digest }) => digest),
  );
  const others = [...manifests.keys()].filter((digest) => !candidates.has(digest));
  const stay = new Family(repository).of([...tags, ...held].map(({ digest }) => digest).concat(others));
  return parentsFirst(
    [...candidates].filter((digest) => !stay.has(digest)),
    manifests,
  );
}

/** An index before its manifests: one whose link is there is whole, also after a kill in between. */
function parentsFirst(digests: readonly string[], manifests: Repository['manifests']): string[] {
  const wanted = new Set(digests);
  const childrenFirst = new Set<string>();
  const visit = (digest: string) => {
    if (!wanted.delete(digest)) return;
    for (const child of manifests.get(digest)?.manifests ?? []) visit(child.digest);
    childrenFirst.add(digest);
  };
  for (const digest of digests.toSorted()) visit(digest);
  return [...childrenFirst].reverse();
}
