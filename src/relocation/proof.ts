import { counted } from '../counted.ts';
import { Failure } from '../errors.ts';
import { FolderTree } from '../inventory/folder-tree.ts';
import { readInventory } from '../inventory/inventory.ts';
import { blobPath, sha256Hex } from '../inventory/layout.ts';
import { type Done, unchanged } from '../step.ts';

/** Pulls and answers the digest of what came; `RegistryClient` does. */
export interface Puller {
  pullManifest(repository: string, reference: string): Promise<string>;
  pullBlob(repository: string, digest: string): Promise<string>;
}

const IMAGES = 3;
const BLOBS = 4;
/** Larger ones are hashed on the disk; this is about the way from there. */
const LARGEST = 16 * 1024 * 1024;

/**
 * Pulls a few images, those pushed last, from the registry as its clients do.
 * @param damaged paths of blobs that are known to be
 * @throws Failure `images-lost`
 */
export async function provePulls(
  directory: string,
  damaged: readonly string[],
  puller: Puller,
): Promise<Done> {
  const tree = new FolderTree(directory);
  const { repositories } = await readInventory(tree);
  const isWell = (digest: string) => !damaged.some((path) => path.includes(digest.slice('sha256:'.length)));
  const images = repositories
    .flatMap(({ name, manifests }) =>
      [...manifests.values()].map((each) => ({
        ...each,
        name,
        all: (each.blobs ?? []).filter(({ foreign }) => foreign !== true).map(({ digest }) => digest),
      })),
    )
    .filter(({ digest, all }) => [digest, ...all].every(isWell))
    .sort((one, other) => other.pushed.getTime() - one.pushed.getTime())
    .slice(0, IMAGES);
  let pulled = 0;
  for (const { name, digest, all } of images) {
    expectSame(name, digest, await puller.pullManifest(name, digest));
    for (const blob of all.slice(0, BLOBS)) {
      const hex = sha256Hex(blob);
      const bytes = hex === undefined ? undefined : (await tree.facts(blobPath(hex)))?.bytes;
      if (bytes === undefined || bytes > LARGEST) continue;
      expectSame(name, blob, await puller.pullBlob(name, blob));
      pulled += 1;
    }
  }
  return unchanged(
    images.length === 0
      ? 'there is no image to pull'
      : `${counted(images.length, 'image')} pulled, ${counted(pulled, 'layer')}`,
  );
}

function expectSame(repository: string, wanted: string, got: string): void {
  if (wanted === got) return;
  throw new Failure(
    'images-lost',
    `${repository}@${wanted} came as ${got} from the new place.`,
    'Look into the logs: docker compose logs registry gate nginx',
  );
}
