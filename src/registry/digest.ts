import { createHash } from 'node:crypto';

/** `sha256:` and 64 hex digits, as the registry computes it (OCI image spec, descriptor.md, "Digests"). */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
