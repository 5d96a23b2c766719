import { relative } from 'node:path';
import { unreachable } from '../../errors.ts';
import { originOf } from '../../storage/bucket-client.ts';
import { checkBucket } from '../../storage/check-bucket.ts';
import { holdsImages, isInUse } from '../../storage/data-directory.ts';
import { readLastPlace } from '../../storage/last-place.ts';
import { pingRedis } from '../../storage/redis.ts';
import type { Check } from '../check.ts';
import type { Context } from '../context.ts';
import { broken, type Finding, fine, together } from '../finding.ts';

export const storageCheck: Check<Context> = {
  name: 'storage',
  group: 'Stack',
  within: 60_000, // a bucket that is busy is asked four times
  run: async (context) => together([await images(context), await cache(context)], fine('')),
};

async function images({ settings, paths, clock }: Context): Promise<Finding> {
  const { storage, registryDataDirectory: folder } = settings;
  if (storage.kind === 's3') {
    await checkBucket(storage, clock);
    return fine(`bucket ${storage.bucket} at ${originOf(storage)} takes and gives objects`);
  }
  const before = await readLastPlace(paths.lastPlace);
  const missed = before?.place === folder && before.used && !(await isInUse(folder));
  return judgeFolder(shown(paths.root, folder), missed, await holdsImages(folder));
}

/** @param missed whether there were images when init-tls last ran, and nothing of them is there */
export function judgeFolder(folder: string, missed: boolean, there: boolean): Finding {
  if (missed && !there)
    return broken(
      `there were images in ${folder}, and there are none now`,
      'Mount its disk, then: npm run init-tls',
    );
  return fine(there ? `images are in ${folder}` : `${folder} is ready for images`);
}

async function cache({ settings }: Context): Promise<Finding> {
  const { cache } = settings;
  switch (cache.kind) {
    case 'memory':
    case 'stack':
      return fine('');
    case 'server':
      await pingRedis(cache);
      return fine(`Redis at ${cache.host} lets the registry in`);
    default:
      return unreachable(cache);
  }
}

function shown(root: string, folder: string): string {
  const inside = relative(root, folder);
  return inside.startsWith('..') ? folder : inside;
}
