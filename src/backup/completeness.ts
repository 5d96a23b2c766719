import type { Inventory } from '../inventory/inventory.ts';
import { blobPath, sha256Hex } from '../inventory/layout.ts';
import type { Tree } from '../inventory/tree.ts';

/** Of what lacks bytes: `team/app@sha256:…`. */
export type Reference = string;

/** The manifests of which something is missing or cut off: themselves, a layer, a config or a manifest that they name. */
export async function incomplete(tree: Tree, { repositories }: Inventory): Promise<readonly Reference[]> {
  const sizes = new Map<string, Promise<number | undefined>>();
  const sizeOf = (digest: string) => {
    const known = sizes.get(digest) ?? sizeIn(tree, digest);
    sizes.set(digest, known);
    return known;
  };
  const found: Reference[] = [];
  for (const { name, manifests, damaged } of repositories) {
    for (const digest of damaged) found.push(`${name}@${digest}`);
    for (const { digest, blobs, manifests: inner } of manifests.values()) {
      const named = [...blobs.filter(({ foreign }) => foreign !== true), ...inner];
      const sizesThere = await Promise.all(named.map((each) => sizeOf(each.digest)));
      const wanted = named.map(({ bytes }) => bytes);
      const lacks = sizesThere.some(
        (size, at) => size === undefined || (wanted[at] !== 0 && size !== wanted[at]),
      );
      if (lacks) found.push(`${name}@${digest}`);
    }
  }
  return found;
}

async function sizeIn(tree: Tree, digest: string): Promise<number | undefined> {
  const hex = sha256Hex(digest);
  return hex === undefined ? undefined : (await tree.facts(blobPath(hex)))?.bytes;
}
