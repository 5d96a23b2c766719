import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { digestOf } from '../../src/registry/digest.ts';
import { MANIFEST_TYPE } from '../../src/registry/image.ts';

const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip';

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

/** As skopeo reads it by `oci:FOLDER` (image-spec, image-layout.md). */
export async function writeOci(folder: string, { config, layers }: LayeredImage): Promise<void> {
  const blobs = join(folder, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const put = async (mediaType: string, bytes: Buffer) => {
    const digest = digestOf(bytes);
    await writeFile(join(blobs, digest.slice('sha256:'.length)), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const described = [];
  for (const layer of layers) described.push(await put(LAYER_TYPE, gzipSync(layer, { level: 0 })));
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
