import { createHash } from 'node:crypto';
import { blobPath, layerLink, revisionLink, tagLink } from '../../src/inventory/layout.ts';

/** What distribution writes for a push, without the layers themselves: paths as in `layout.ts`, and contents. */
export interface Pushed {
  /** Of the manifest. */
  readonly digest: string;
  readonly bytes: number;
  readonly files: readonly (readonly [path: string, content: string])[];
}

interface Layer {
  /** What makes it this one. */
  readonly name: string;
  readonly bytes: number;
}

const CONFIG_BYTES = 700;

const IMAGE = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

export function pushedImage(
  repository: string,
  tag: string | undefined,
  layers: readonly Layer[],
  subject?: string,
): Pushed {
  const config = {
    digest: digestOf(`config of ${layers.map(({ name }) => name).join()}`),
    size: CONFIG_BYTES,
  };
  const described = layers.map(({ name, bytes }) => ({ digest: digestOf(name), size: bytes }));
  const about = subject === undefined ? {} : { subject: { digest: subject, size: 1 } };
  const pushed = pushedManifest(repository, tag, {
    schemaVersion: 2,
    mediaType: IMAGE,
    config,
    layers: described,
    ...about,
  });
  const links = [config, ...described].map(
    ({ digest }) => [layerLink(repository, hexOf(digest)), digest] as const,
  );
  return { ...pushed, files: [...pushed.files, ...links] };
}

export function pushedIndex(repository: string, tag: string | undefined, of: readonly Pushed[]): Pushed {
  const manifests = of.map(({ digest, bytes }) => ({ digest, size: bytes }));
  return pushedManifest(repository, tag, { schemaVersion: 2, mediaType: INDEX, manifests });
}

function pushedManifest(repository: string, tag: string | undefined, manifest: unknown): Pushed {
  const text = JSON.stringify(manifest);
  const digest = digestOf(text);
  const hex = hexOf(digest);
  const tagged = tag === undefined ? [] : [[tagLink(repository, tag), digest] as const];
  return {
    digest,
    bytes: Buffer.byteLength(text),
    files: [[blobPath(hex), text], [revisionLink(repository, hex), digest], ...tagged],
  };
}

export function hexOf(digest: string): string {
  return digest.slice('sha256:'.length);
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
