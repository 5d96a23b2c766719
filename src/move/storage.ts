import { type Problem, WrongInput } from '../errors.ts';
import type { Settings } from '../settings/settings.ts';

type Kept = Pick<Settings, 'storage'>;

/**
 * That images are kept there as they are here: from disk to disk they are copied, and a bucket stays the same one.
 * @throws WrongInput
 */
export function expectSameStorage(here: Kept, there: Kept): void {
  const problems = storageProblems(here, there);
  if (problems.length > 0) throw new WrongInput(problems);
}

/** Pure. */
export function storageProblems({ storage: here }: Kept, { storage: there }: Kept): Problem[] {
  if (here.kind === 'filesystem' && there.kind === 'filesystem') return [];
  if (here.kind === 'filesystem' || there.kind === 'filesystem')
    return [
      {
        input: 'STORAGE',
        message: `images are ${here.kind === 's3' ? 'in a bucket, and a move takes none out of it' : 'on a disk, and a move brings none into a bucket'}; leave it as it is`,
      },
    ];
  const other = (input: string, is: string) => ({
    input,
    message: `the images are in "${is}", and a move does not copy them; leave it as it is`,
  });
  // The same server may have another address there.
  return [
    ...(here.bucket === there.bucket ? [] : [other('S3_BUCKET', here.bucket)]),
    ...(here.rootDirectory === there.rootDirectory ? [] : [other('S3_ROOT_DIRECTORY', here.rootDirectory)]),
  ];
}
