import type { Settings } from '../settings/settings.ts';
import type { Clock } from '../system/clock.ts';
import { BucketTree } from './bucket-tree.ts';
import { FolderTree } from './folder-tree.ts';
import type { Tree } from './tree.ts';

/** The files of the registry that these settings describe. */
export async function openTree(
  { storage, registryDataDirectory }: Pick<Settings, 'storage' | 'registryDataDirectory'>,
  clock: Clock,
): Promise<Tree> {
  if (storage.kind === 's3') return BucketTree.open(storage, clock);
  return new FolderTree(registryDataDirectory);
}
