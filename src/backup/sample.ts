import type { Link } from './links.ts';

/** A manifest that a repository has, by the name that people know it by. */
export interface Subject {
  readonly repository: string;
  readonly digest: string;
  /** `team/app:1.0`, or with the digest where it has no tag. */
  readonly name: string;
}

export type Size = number | 'all';

const TAG = /^repositories\/(?<repository>.+)\/_manifests\/tags\/(?<tag>[^/]+)\/current\/link$/;
const REVISION = /^repositories\/(?<repository>.+)\/_manifests\/revisions\/.+\/link$/;
/** Signatures and lists of referrers are tagged so (cosign; distribution-spec, “Referrers Tag Schema”). */
const REFERRER = /^sha256-([0-9a-f]{64})\b/;

/** Some of what the links name, by chance: tags first, then what has none. What refers to another comes with it. */
export function sampleOf(links: readonly Link[], size: Size, random: () => number): readonly Subject[] {
  const tags = links.flatMap((link) => {
    const { repository, tag } = TAG.exec(link.path)?.groups ?? {};
    if (repository === undefined || tag === undefined) return [];
    return [{ repository, digest: link.digest, name: `${repository}:${tag}`, referrer: REFERRER.test(tag) }];
  });
  const revisions = links.flatMap((link) => {
    const repository = REVISION.exec(link.path)?.groups?.repository;
    if (repository === undefined) return [];
    return [{ repository, digest: link.digest, name: `${repository}@${link.digest}` }];
  });
  const known = new Set(tags.map(keyOf));
  const untagged = revisions.filter((each) => !known.has(keyOf(each)));
  const everything = [
    ...shuffled(
      tags.filter(({ referrer }) => !referrer),
      random,
    ),
    ...shuffled([...untagged, ...tags.filter(({ referrer }) => referrer)], random),
  ];
  const distinct = [...new Map(everything.map((each) => [keyOf(each), each])).values()];
  return distinct.slice(0, size === 'all' ? undefined : size);
}

/** What says something about a manifest, as far as tags tell: signatures, SBOMs, and the list of them. */
export function referrersOf(
  { repository, digest, name }: Subject,
  links: readonly Link[],
): readonly Subject[] {
  return links.flatMap((link) => {
    const groups = TAG.exec(link.path)?.groups;
    const hex = REFERRER.exec(groups?.tag ?? '')?.[1];
    if (groups?.repository !== repository || `sha256:${hex}` !== digest) return [];
    return [{ repository, digest: link.digest, name: `${name}, ${groups.tag}` }];
  });
}

function keyOf({ repository, digest }: Pick<Subject, 'repository' | 'digest'>): string {
  return `${repository}@${digest}`;
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const drawn = [...items];
  for (let last = drawn.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const [a, b] = [drawn[last], drawn[other]];
    if (a !== undefined && b !== undefined) [drawn[last], drawn[other]] = [b, a];
  }
  return drawn;
}
