import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { digestOf } from '../../src/registry/digest.ts';
import { MANIFEST_TYPE } from '../../src/registry/image.ts';

const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar';

export interface Size {
  readonly layers: number;
  /** Of each layer; random, so compression makes nothing less of it. */
  readonly bytes: number;
}

/** An image that takes a while to move. Its config names the digest of each uncompressed layer, so it stands for all. */
export interface LayeredImage {
  readonly config: Buffer;
  /** Tar files. */
  readonly layers: readonly Buffer[];
}

export async function makeLayeredImage({ layers: count, bytes }: Size): Promise<LayeredImage> {
  const layers = [];
  for (let number = 0; number < count; number += 1)
    layers.push(await tar({ [`random-${number}`]: randomBytes(bytes) }));
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

/**
 * As skopeo reads it by `oci:FOLDER` (image-spec, image-layout.md).
 * @param how `tar`: the client compresses while it pushes, which takes its time. `gzip`: it pushes what is there.
 */
export async function writeOci(
  folder: string,
  { config, layers }: LayeredImage,
  how: 'tar' | 'gzip',
): Promise<void> {
  const blobs = join(folder, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const put = async (mediaType: string, bytes: Buffer) => {
    const digest = digestOf(bytes);
    await writeFile(join(blobs, digest.slice('sha256:'.length)), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const described = [];
  for (const layer of layers)
    described.push(
      how === 'tar'
        ? await put(LAYER_TYPE, layer)
        : await put(`${LAYER_TYPE}+gzip`, gzipSync(layer, { level: 0 })),
    );
  const manifest = await put(
    MANIFEST_TYPE,
    json({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: await put('application/vnd.oci.image.config.v1+json', config),
      layers: described,
    }),
  );
  await writeFile(join(folder, 'index.json'), json({ schemaVersion: 2, manifests: [manifest] }));
  await writeFile(join(folder, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

async function tar(files: Readonly<Record<string, Buffer>>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({ name, mtime: new Date(0) }, content);
  archive.finalize();
  return buffer(Readable.from(archive));
}
