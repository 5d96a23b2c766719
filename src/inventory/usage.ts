import type { Inventory, Repository } from './inventory.ts';

/** What images take, in bytes as their manifests tell. */
export interface Usage {
  /** Everything that a manifest names, each digest once. */
  readonly bytes: number;
  readonly tags: number;
  /** The largest first. */
  readonly repositories: readonly RepositoryUsage[];
}

export interface RepositoryUsage {
  readonly name: string;
  readonly tags: number;
  /** What no other repository has: so much at the most comes free with it. */
  readonly own: number;
  /** What others have too; the registry keeps it once. */
  readonly shared: number;
  /** Of both, what no tag leads to, by an index or as something that is said about a tagged image. */
  readonly untagged: number;
  /** Manifests whose content is missing or is none. */
  readonly damaged: number;
}

type Sizes = ReadonlyMap<string, number>;

/** What each repository takes. Pure. Layers that no manifest names any more are not in it: they wait to be collected. */
export function usageOf({ repositories }: Inventory): Usage {
  const sizes = repositories.map(sizesOf);
  const owners = new Map<string, number>();
  let bytes = 0;
  for (const each of sizes) {
    for (const [digest, size] of each) {
      const others = owners.get(digest) ?? 0;
      if (others === 0) bytes += size;
      owners.set(digest, others + 1);
    }
  }
  const used = repositories.map((repository, index) => usage(repository, sizes[index] ?? new Map(), owners));
  used.sort(
    (a, b) => b.own + b.shared - (a.own + a.shared) || a.name.localeCompare(b.name, 'en', { numeric: true }),
  );
  return { bytes, tags: used.reduce((sum, { tags }) => sum + tags, 0), repositories: used };
}

function usage(repository: Repository, sizes: Sizes, owners: Sizes): RepositoryUsage {
  const { name, tags, damaged } = repository;
  const tagged = taggedDigests(repository);
  const total = { own: 0, shared: 0, untagged: 0 };
  for (const [digest, size] of sizes) {
    if (owners.get(digest) === 1) total.own += size;
    else total.shared += size;
    if (!tagged.has(digest)) total.untagged += size;
  }
  return { name, tags: tags.length, ...total, damaged: damaged.length };
}

/** Manifests, configs and layers of a repository, each once. */
function sizesOf({ manifests }: Repository): Sizes {
  const sizes = new Map<string, number>();
  for (const { digest, bytes, blobs } of manifests.values()) {
    sizes.set(digest, bytes);
    for (const blob of blobs) sizes.set(blob.digest, blob.bytes);
  }
  return sizes;
}

function taggedDigests({ tags, manifests }: Repository): ReadonlySet<string> {
  const about = new Map<string, string[]>();
  for (const { digest, subject } of manifests.values())
    if (subject !== undefined) about.set(subject, [...(about.get(subject) ?? []), digest]);
  const reached = new Set<string>();
  const waiting = tags.map(({ digest }) => digest);
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    if (reached.has(digest)) continue;
    reached.add(digest);
    const manifest = manifests.get(digest);
    for (const blob of manifest?.blobs ?? []) reached.add(blob.digest);
    waiting.push(...(manifest?.manifests ?? []).map((each) => each.digest), ...(about.get(digest) ?? []));
  }
  return reached;
}
