import { join } from 'node:path';

/**
 * Where distribution 2.8 and 3.0 keep things (`registry/storage/paths.go`). Paths are below its root; names and digests
 * have passed the grammar of the registry's API: none of them leads out of it.
 */
const ROOT = 'docker/registry/v2';

export const REPOSITORIES = 'repositories';

/** The path of something on a disk, where distribution's root directory is `directory`. */
export function onDisk(directory: string, path: string): string {
  return join(directory, ROOT, path);
}

/** The key of something in a bucket. */
export function inBucket(rootDirectory: string, path: string): string {
  return [...(rootDirectory === '' ? [] : [rootDirectory]), ROOT, path].join('/');
}

/** The bytes of a manifest, a config or a layer. */
export function blobPath(hex: string): string {
  return `blobs/sha256/${hex.slice(0, 2)}/${hex}/data`;
}

export function repositoryFolder(repository: string): string {
  return `${REPOSITORIES}/${repository}`;
}

/** That a repository has a blob. */
export function layerLink(repository: string, hex: string): string {
  return `${repositoryFolder(repository)}/_layers/sha256/${hex}/link`;
}

/** A folder of hex digits, one for each manifest that the repository has or had. */
export function revisionsFolder(repository: string): string {
  return `${repositoryFolder(repository)}/_manifests/revisions/sha256`;
}

/** That a repository has a manifest. */
export function revisionLink(repository: string, hex: string): string {
  return `${revisionsFolder(repository)}/${hex}/link`;
}

export function tagsFolder(repository: string): string {
  return `${repositoryFolder(repository)}/_manifests/tags`;
}

/** What a tag stands for. */
export function tagLink(repository: string, tag: string): string {
  return `${tagsFolder(repository)}/${tag}/current/link`;
}

/** The hex digits of a digest by sha256; other algorithms are left to the registry. */
export function sha256Hex(digest: string): string | undefined {
  return /^sha256:([a-f0-9]{64})$/.exec(digest)?.[1];
}
