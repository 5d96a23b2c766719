import type { Inventory, Repository } from '../inventory/inventory.ts';
import { blobPath, sha256Hex } from '../inventory/layout.ts';
import type { Tree } from '../inventory/tree.ts';

/** A manifest that can't be pulled as a whole. */
export interface Damage {
  readonly repository: string;
  readonly tags: readonly string[];
  readonly digest: string;
  /** Digests: itself, blobs of it, or manifests that it names. */
  readonly missing: readonly string[];
}

export interface Need {
  readonly kind: 'manifest' | 'blob';
  readonly repository: string;
  readonly digest: string;
}

/** What has to be there for every image to be whole, each once. */
export function needsOf({ repositories }: Inventory): Need[] {
  return repositories.flatMap((repository) => {
    const found = new Map<string, Need>();
    for (const digest of [...repository.manifests.keys(), ...repository.damaged])
      for (const need of needsOfManifest(repository, digest)) found.set(`${need.kind} ${need.digest}`, need);
    return [...found.values()];
  });
}

/** The manifests that something is missing of. */
export function damageOf({ repositories }: Inventory, isMissing: (need: Need) => boolean): Damage[] {
  return repositories.flatMap((repository) =>
    [...repository.manifests.keys(), ...repository.damaged].flatMap((digest) => {
      const missing = needsOfManifest(repository, digest).filter(isMissing);
      if (missing.length === 0) return [];
      const tags = repository.tags.filter((tag) => tag.digest === digest).map(({ name }) => name);
      return [{ repository: repository.name, tags, digest, missing: missing.map((need) => need.digest) }];
    }),
  );
}

/** The damage that the files themselves show. */
export async function storedDamage(tree: Tree, inventory: Inventory): Promise<Damage[]> {
  const stored = new Map<string, boolean>();
  for (const { digest } of needsOf(inventory).filter(({ kind }) => kind === 'blob')) {
    const hex = sha256Hex(digest);
    if (hex === undefined || stored.has(digest)) continue;
    stored.set(digest, (await tree.facts(blobPath(hex))) !== undefined);
  }
  const manifests = new Map(inventory.repositories.map(({ name, manifests }) => [name, manifests]));
  return damageOf(inventory, ({ kind, repository, digest }) =>
    kind === 'manifest' ? manifests.get(repository)?.has(digest) !== true : stored.get(digest) === false,
  );
}

function needsOfManifest({ name: repository, manifests }: Repository, digest: string): Need[] {
  const { blobs = [], manifests: children = [] } = manifests.get(digest) ?? {};
  return [
    { kind: 'manifest', repository, digest },
    ...children.map((child): Need => ({ kind: 'manifest', repository, digest: child.digest })),
    ...blobs
      .filter(({ foreign }) => foreign !== true)
      .map((blob): Need => ({ kind: 'blob', repository, digest: blob.digest })),
  ];
}
