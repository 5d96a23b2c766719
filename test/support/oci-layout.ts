import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../../src/registry/digest.ts';
import { type Image, MANIFEST_TYPE } from '../../src/registry/image.ts';

const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

interface ForMachine {
  readonly architecture: string;
  readonly image: Image;
}

/** An index of images in a folder, as skopeo reads it by `oci:FOLDER` (image-spec, image-layout.md). */
export async function writeLayout(folder: string, images: readonly ForMachine[]): Promise<void> {
  const blobs = join(folder, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const put = async (bytes: Buffer) => {
    const digest = digestOf(bytes);
    await writeFile(join(blobs, digest.slice('sha256:'.length)), bytes);
    return { digest, size: bytes.length };
  };
  const manifests = [];
  for (const { architecture, image } of images) {
    await put(image.config.bytes);
    await put(image.layer.bytes);
    const manifest = await put(image.manifest.bytes);
    manifests.push({ mediaType: MANIFEST_TYPE, ...manifest, platform: { os: 'linux', architecture } });
  }
  const index = await put(json({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }));
  const top = { schemaVersion: 2, manifests: [{ mediaType: INDEX_TYPE, ...index }] };
  await writeFile(join(folder, 'index.json'), json(top));
  await writeFile(join(folder, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
