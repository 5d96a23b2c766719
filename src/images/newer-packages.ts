import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../engine/engine.ts';
import { ensureDirectory } from '../system/files.ts';
import { BASE_IMAGE } from './catalog.ts';

/** A Debian package in an image of which the mirror has a newer version. */
export interface NewerPackage {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

const LISTS = '/var/lib/apt/lists';

/**
 * Which packages of images that were built here Debian has newer ones of, by image. The lists are fetched once, into
 * `folder`. Where no mirror answers there are none, and `undefined` says so.
 */
export async function newerPackages(
  engine: Engine,
  images: readonly string[],
  folder: string,
): Promise<ReadonlyMap<string, readonly NewerPackage[]> | undefined> {
  await ensureDirectory(folder);
  const lists = await mkdtemp(join(folder, 'lists-'));
  const ask = (image: string, entrypoint: string, args: readonly string[]) =>
    engine.containers.runOnce(
      {
        name: `moorage-packages-${lists.slice(-6)}-${args.length}-${images.indexOf(image) + 1}`,
        image,
        entrypoint,
        args,
        env: {},
        mounts: [{ source: lists, target: LISTS }],
        network: 'host', // a build reaches what this machine reaches
        user: '0:0',
        labels: {},
      },
      () => undefined,
    );
  try {
    // apt would fetch as a user of its own, whom the folder does not belong to.
    const update = ['-qq', '-o', 'APT::Sandbox::User=root', '-o', 'APT::Update::Error-Mode=any', 'update'];
    const fetched = await ask(BASE_IMAGE, 'apt-get', update);
    if (fetched.exitCode !== 0) return undefined;
    const found = await Promise.all(
      images.map(async (image) => {
        const { output } = await ask(image, 'apt-get', ['-qq', '-s', 'upgrade']);
        return [image, parseUpgrade(output)] as const;
      }),
    );
    return new Map(found);
  } finally {
    await rm(lists, { recursive: true, force: true });
  }
}

/** From `apt-get -s upgrade`: `Inst libc6 [2.41-12] (2.41-12+deb13u1 Debian:13.2/stable [amd64])`. */
export function parseUpgrade(output: string): NewerPackage[] {
  return [...output.matchAll(/^Inst (\S+) \[([^\]]+)\] \((\S+) /gm)].map(
    ([, name = '', from = '', to = '']) => ({
      name,
      from,
      to,
    }),
  );
}
