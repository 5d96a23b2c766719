import { createHash, randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';

const MIB = 1024 ** 2;

/** Content that is nobody else's and that nothing can compress. */
export interface Content {
  readonly path: string;
  /** `sha256:…` */
  readonly digest: string;
  readonly bytes: number;
}

export interface Sizes {
  /** MiB of the one large blob, and of what is pushed. */
  readonly large: number;
  /** How many blobs of 1 MiB. */
  readonly small: number;
}

export interface Contents {
  readonly large: Content;
  readonly small: readonly Content[];
  /** As much as the large one, in one and in four; nothing of it is ever pulled. */
  readonly pushed: Readonly<Record<1 | 4, readonly Content[]>>;
}

export async function makeContents(folder: string, { large, small }: Sizes): Promise<Contents> {
  const several = async (name: string, count: number, mib: number) => {
    const made: Content[] = [];
    for (let number = 1; number <= count; number += 1)
      made.push(await make(join(folder, `${name}-${number}`), mib));
    return made;
  };
  return {
    large: await make(join(folder, 'large'), large),
    small: await several('small', small, 1),
    pushed: { 1: await several('push', 1, large), 4: await several('quarter', 4, large / 4) },
  };
}

/** Where distribution keeps a blob's data, from its root directory. */
export function placeOf({ digest }: Content): string {
  const hex = digest.replace('sha256:', '');
  return `docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}`;
}

/** FILE DIGEST, as push.sh wants it. */
export function namedFor(folder: string, contents: readonly Content[]): string[] {
  return contents.flatMap(({ path, digest }) => [`${folder}/${basename(path)}`, digest]);
}

async function make(path: string, mib: number): Promise<Content> {
  const hash = createHash('sha256');
  const file = await open(path, 'wx');
  try {
    for (let written = 0; written < mib; written += 1) {
      const bytes = randomBytes(MIB);
      hash.update(bytes);
      await file.write(bytes);
    }
  } finally {
    await file.close();
  }
  return { path, digest: `sha256:${hash.digest('hex')}`, bytes: mib * MIB };
}
