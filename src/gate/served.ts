import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Content } from './decide.ts';
import { send } from './exchange.ts';
import type { Stored, StoredManifest } from './stored.ts';

/** The registry's disk, in the words of HTTP. */
export class Served {
  readonly #stored: Stored;

  constructor(stored: Stored) {
    this.#stored = stored;
  }

  /**
   * The headers by which nginx finds a blob and sends it; none where it has to ask the registry.
   * @param headers those of nginx's question: `Range` is the client's
   */
  async blob(
    content: Content & { readonly kind: 'blob' },
    headers: IncomingHttpHeaders,
  ): Promise<Record<string, string>> {
    if (headers['x-conditional'] !== undefined) return {};
    const blob = await this.#stored.blob(content.repository, content.digest);
    if (blob === undefined) return {};
    const { range } = headers;
    if (range !== undefined && !isOrdinary(range, await this.#stored.sizeOf(blob))) return {};
    return { 'x-blob': blob.path, 'x-digest': blob.digest };
  }

  /** Answers with a manifest, as distribution would (`registry/handlers/manifests.go`), or leaves it to distribution. */
  async manifest(
    content: Content & { readonly kind: 'manifest' },
    headers: IncomingHttpHeaders,
    response: ServerResponse,
  ): Promise<boolean> {
    const { accept = '' } = headers;
    if (headers['if-none-match'] !== undefined || accept === '') return false;
    const manifest = await this.#stored.manifest(content.repository, content.reference);
    if (manifest === undefined || !accepts(accept, manifest.mediaType)) return false;
    send(response, 200, headersOf(manifest), manifest.bytes);
    return true;
  }
}

function headersOf({ digest, mediaType }: StoredManifest): Record<string, string> {
  return {
    'content-type': mediaType,
    'docker-content-digest': digest,
    etag: `"${digest}"`,
    'x-content-type-options': 'nosniff',
  };
}

/**
 * Whether a list of types names one. distribution heeds neither order nor weights, and leaves out what Go's mime package
 * can't read: so whatever has other parameters than a weight does not count here.
 */
function accepts(accept: string, mediaType: string): boolean {
  if (accept === mediaType) return true;
  return accept.split(',').some((each) => {
    const [type = '', ...parameters] = each.split(';');
    return (
      type.trim() === mediaType && parameters.every((text) => WEIGHT.test(text)) && parameters.length <= 1
    );
  });
}

const WEIGHT = /^ *q=[0-9.]+ *$/;
/** One range, of digits that a double holds. */
const FROM = /^bytes=(\d{1,15})-(\d{1,15})?$/;
const LAST = /^bytes=-(\d{1,15})$/;

/** A range that nginx and Go answer alike: one, of some bytes that are there. */
function isOrdinary(range: string, size: number | undefined): boolean {
  if (size === undefined) return false;
  const [, first, end] = FROM.exec(range) ?? [];
  if (first !== undefined) return Number(first) < size && Number(first) <= Number(end ?? size);
  return size > 0 && Number(LAST.exec(range)?.[1] ?? 0) > 0;
}
