import { join } from 'node:path';
import type { Reference } from './route.ts';

/**
 * Where distribution 2.8 and 3.0 keep things on a disk (`registry/storage/paths.go`), below its root directory. Names
 * and digests have passed the grammar of `readRoute`: none of them leads out of it.
 */
const BASE = 'docker/registry/v2';

/** Below `docker/registry/v2`, and as nginx is told: it begins with a slash. */
export function blobPath(hex: string): string {
  return `/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`;
}

export function blobFile(root: string, hex: string): string {
  return join(root, BASE, blobPath(hex));
}

/** That a repository has a blob. */
export function layerLink(root: string, repository: string, hex: string): string {
  return join(root, BASE, 'repositories', repository, '_layers/sha256', hex, 'link');
}

/** That a repository has a manifest. */
export function revisionLink(root: string, repository: string, hex: string): string {
  return join(root, BASE, 'repositories', repository, '_manifests/revisions/sha256', hex, 'link');
}

/** What a tag stands for. */
export function tagLink(root: string, repository: string, tag: string): string {
  return join(root, BASE, 'repositories', repository, '_manifests/tags', tag, 'current/link');
}

/** The hex digits of a digest by sha256; other algorithms are left to the registry. */
export function sha256Hex(digest: string): string | undefined {
  return /^sha256:([a-f0-9]{64})$/.exec(digest)?.[1];
}

export function nameOf(reference: Reference): string {
  return reference.kind === 'tag' ? reference.tag : reference.digest;
}
