import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { digestOf } from './digest.ts';
import { tar } from './tar.ts';

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
export const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip';

export interface Blob {
  /** `sha256:…` */
  readonly digest: string;
  readonly bytes: Buffer;
}

/** A whole image: made here, so that a proof needs nothing from any other registry. */
export interface Image {
  readonly config: Blob;
  readonly layer: Blob;
  /** An OCI image manifest (image-spec, manifest.md). */
  readonly manifest: Blob;
  /** The same image as `docker load` takes it, under the given `name:tag`. */
  readonly archive: (reference: string) => Promise<Readable>;
}

/** An image from scratch with one small file in it. `text` makes it unlike any other. */
export async function makeImage(text: string): Promise<Image> {
  const layerTar = await tar({ 'moorage.txt': Buffer.from(text) });
  const layer = blob(gzipSync(layerTar));
  const config = blob(
    json({
      architecture: 'amd64',
      os: 'linux',
      config: { Cmd: ['/moorage.txt'] },
      rootfs: { type: 'layers', diff_ids: [blob(layerTar).digest] },
    }),
  );
  const descriptor = (mediaType: string, { digest, bytes }: Blob) => ({
    mediaType,
    digest,
    size: bytes.length,
  });
  const manifest = blob(
    json({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: descriptor(CONFIG_TYPE, config),
      layers: [descriptor(LAYER_TYPE, layer)],
    }),
  );
  const archive = async (reference: string) => {
    const listing = [{ Config: 'config.json', RepoTags: [reference], Layers: ['layer.tar'] }];
    const files = { 'manifest.json': json(listing), 'config.json': config.bytes, 'layer.tar': layerTar };
    return Readable.from(await tar(files));
  };
  return { config, layer, manifest, archive };
}

function blob(bytes: Buffer): Blob {
  return { digest: digestOf(bytes), bytes };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
