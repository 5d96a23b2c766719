import type { Manifest } from '../inventory/inventory.ts';

/** Bytes by digest: of manifests, and of what they name. */
export type Sizes = ReadonlyMap<string, number>;

export function sizesOf(manifests: readonly Manifest[]): Sizes {
  const sizes = new Map<string, number>();
  for (const { digest, bytes, blobs } of manifests) {
    sizes.set(digest, bytes);
    for (const blob of blobs) sizes.set(blob.digest, blob.bytes);
  }
  return sizes;
}

/** What these manifests have for themselves, each blob once. */
export function bytesOf(manifests: readonly Manifest[], needed: Sizes): number {
  return [...sizesOf(manifests)]
    .filter(([digest]) => !needed.has(digest))
    .reduce((sum, [, bytes]) => sum + bytes, 0);
}
