import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../../src/registry/digest.ts';
import { type Image, MANIFEST_TYPE } from '../../src/registry/image.ts';
import type { Pushed } from './pushed-images.ts';
import { INDEX_TYPE } from './registry-calls.ts';

type Put = (mediaType: string, content: Buffer | object) => Promise<Pushed>;

/**
 * A folder that skopeo reads by `oci:FOLDER` (image-spec, image-layout.md).
 * @param fill puts what belongs together, and answers what stands for all of it
 */
export async function writeOciFolder(folder: string, fill: (put: Put) => Promise<object>): Promise<void> {
  const blobs = join(folder, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const top = await fill(async (mediaType, content) => {
    const bytes = Buffer.isBuffer(content) ? content : json(content);
    const digest = digestOf(bytes);
    await writeFile(join(blobs, digest.slice('sha256:'.length)), bytes);
    return { mediaType, digest, size: bytes.length };
  });
  await writeFile(join(folder, 'index.json'), json({ schemaVersion: 2, manifests: [top] }));
  await writeFile(join(folder, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
}

interface ForMachine {
  readonly architecture: string;
  readonly image: Image;
}

/** An index of images. */
export async function writeLayout(folder: string, images: readonly ForMachine[]): Promise<void> {
  await writeOciFolder(folder, async (put) => {
    const manifests = [];
    for (const { architecture, image } of images) {
      await put('', image.config.bytes);
      await put('', image.layer.bytes);
      const manifest = await put(MANIFEST_TYPE, image.manifest.bytes);
      manifests.push({ ...manifest, platform: { os: 'linux', architecture } });
    }
    return put(INDEX_TYPE, { schemaVersion: 2, mediaType: INDEX_TYPE, manifests });
  });
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
