import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { digestOf } from '../../src/registry/digest.ts';
import { CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE } from '../../src/registry/image.ts';
import { tar } from '../../src/registry/tar.ts';
import { writeOciFolder } from './oci-layout.ts';

/** An image that takes a while to move. Its config names the digest of each uncompressed layer, so it stands for all. */
export interface LayeredImage {
  readonly config: Buffer;
  /** Tar files. */
  readonly layers: readonly Buffer[];
}

/** @param sizes of the layers in bytes; they are random, so compression makes nothing less of them */
export async function makeLayeredImage(sizes: readonly number[]): Promise<LayeredImage> {
  const layers = [];
  for (const [number, size] of sizes.entries())
    layers.push(await tar({ [`random-${number}`]: randomBytes(size) }));
  const config = json({
    architecture: 'amd64',
    os: 'linux',
    config: { Cmd: ['/random-0'] },
    rootfs: { type: 'layers', diff_ids: layers.map(digestOf) },
  });
  return { config, layers };
}

/** As `docker load` takes it, under the given `name:tag`. */
export async function dockerArchive({ config, layers }: LayeredImage, reference: string): Promise<Readable> {
  const files = Object.fromEntries(layers.map((layer, number) => [`${number}.tar`, layer]));
  const listing = [{ Config: 'config.json', RepoTags: [reference], Layers: Object.keys(files) }];
  return Readable.from(await tar({ 'manifest.json': json(listing), 'config.json': config, ...files }));
}

/** As skopeo reads it by `oci:FOLDER`. */
export async function writeOci(folder: string, { config, layers }: LayeredImage): Promise<void> {
  await writeOciFolder(folder, async (put) => {
    const described = [];
    for (const layer of layers) described.push(await put(LAYER_TYPE, gzipSync(layer, { level: 0 })));
    return put(MANIFEST_TYPE, {
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: await put(CONFIG_TYPE, config),
      layers: described,
    });
  });
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
