import { z } from 'zod';
import { parseAs } from '../system/json.ts';

/** What a manifest names (OCI image spec, manifest.md and image-index.md; Docker's schema 2 is the same in this). */
export interface ManifestContent {
  readonly mediaType: string;
  /** Of the manifest itself. */
  readonly bytes: number;
  /** Config and layers of an image. */
  readonly blobs: readonly Descriptor[];
  /** The manifests of an index. */
  readonly manifests: readonly Descriptor[];
  /** The digest that this one says something about: a signature, an SBOM. */
  readonly subject: string | undefined;
}

export interface Descriptor {
  readonly digest: string;
  readonly bytes: number;
  /** A layer that is fetched from its vendor, as of Windows: a registry need not have it. */
  readonly foreign?: true;
}

const FOREIGN = /nondistributable|foreign/;

/** As lenient as Go, in which distribution reads them: null is nothing, and a size that is not there is 0. */
const descriptor = z
  .object({ mediaType: z.string().nullish(), digest: z.string(), size: z.number().nullish() })
  .transform(
    ({ mediaType, digest, size }): Descriptor => ({
      digest,
      bytes: size ?? 0,
      ...(FOREIGN.test(mediaType ?? '') ? { foreign: true } : {}),
    }),
  );

const shape = z.object({
  mediaType: z.string().nullish(),
  config: descriptor.nullish(),
  layers: z.array(descriptor).nullish(),
  manifests: z.array(descriptor).nullish(),
  // These distribution does not look at: whatever stands there has been taken.
  blobs: z.array(descriptor).nullish().catch(undefined), // of artifact manifests, which OCI 1.1 had before it was final
  subject: z.object({ digest: z.string() }).nullish().catch(undefined),
  fsLayers: z
    .array(z.object({ blobSum: z.string() }))
    .nullish()
    .catch(undefined), // schema 1, which says no sizes
});

/** `undefined` for what is no manifest. */
export function contentOf(bytes: Buffer): ManifestContent | undefined {
  const found = parseAs(bytes.toString(), shape);
  if (found === undefined) return undefined;
  const { config, layers, blobs, manifests, fsLayers } = found;
  const kind = manifests === undefined ? 'manifest' : 'index';
  return {
    mediaType: found.mediaType ?? `application/vnd.oci.image.${kind}.v1+json`,
    bytes: bytes.length,
    blobs: [
      ...(config ? [config] : []),
      ...(layers ?? []),
      ...(blobs ?? []),
      ...(fsLayers ?? []).map(({ blobSum }) => ({ digest: blobSum, bytes: 0 })),
    ],
    manifests: manifests ?? [],
    subject: found.subject?.digest,
  };
}
