import { open } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import { blobPath, onDisk, sha256Hex } from '../inventory/layout.ts';
import { digestOf } from '../registry/digest.ts';

/** A manifest that distribution would answer byte for byte, to whoever accepts its type. */
export interface ManifestContent {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** distribution takes no larger ones (`maxManifestBodySize`). */
const LARGEST = 4 * 1024 * 1024;
const MEMORY = 64 * 1024 * 1024;
/** What an entry costs beside its bytes. */
const OVERHEAD = 512;
const UNFIT = 'unfit';

/** What each of the four types must not have beside what it is (CVE-2021-41190): distribution refuses those it reads. */
const OF_IMAGES = ['CONFIG', 'LAYERS', 'FSLAYERS', 'HISTORY'];
const ALIEN: ReadonlyMap<string, readonly string[]> = new Map([
  ['application/vnd.oci.image.manifest.v1+json', ['MANIFESTS']],
  ['application/vnd.docker.distribution.manifest.v2+json', ['MANIFESTS']],
  ['application/vnd.oci.image.index.v1+json', OF_IMAGES],
  ['application/vnd.docker.distribution.manifest.list.v2+json', OF_IMAGES],
]);

/** Manifests by digest: they never change, so they are read and verified once, while there is room to remember them. */
export class ManifestContents {
  readonly #root: string;
  readonly #known = new LRUCache<string, ManifestContent | typeof UNFIT>({
    maxSize: MEMORY,
    sizeCalculation: (content) => OVERHEAD + (content === UNFIT ? 0 : content.bytes.length),
  });

  constructor(root: string) {
    this.#root = root;
  }

  /** `undefined` for what the registry has to judge: damaged, of another type, or of a type that it would convert. */
  async of(digest: string): Promise<ManifestContent | undefined> {
    const content = this.#known.get(digest) ?? (await this.#read(digest));
    return content === UNFIT ? undefined : content;
  }

  async #read(digest: string): Promise<ManifestContent | typeof UNFIT> {
    const hex = sha256Hex(digest);
    const bytes = hex === undefined ? undefined : await readSmall(onDisk(this.#root, blobPath(hex)));
    // Not remembered: what is damaged or unreadable may be mended.
    if (bytes === undefined || digestOf(bytes) !== digest) return UNFIT;
    const mediaType = typeOf(bytes);
    const content = mediaType === undefined ? UNFIT : { mediaType, bytes };
    this.#known.set(digest, content);
    return content;
  }
}

async function readSmall(file: string): Promise<Buffer | undefined> {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    return (await handle.stat()).size > LARGEST ? undefined : await handle.readFile();
  } catch {
    return undefined;
  } finally {
    await handle.close();
  }
}

/** The type that distribution will find in it, or `undefined` where that is not plain to see. */
function typeOf(bytes: Buffer): string | undefined {
  const fields = fieldsOf(bytes);
  if (fields === undefined) return undefined;
  // Go takes a key in any case, and of several the last one.
  const names = Object.keys(fields).map((name) => name.toUpperCase());
  const { schemaVersion, mediaType } = fields;
  if (schemaVersion !== 2 || typeof mediaType !== 'string') return undefined;
  if (new Set(names).size !== names.length) return undefined;
  const alien = ALIEN.get(mediaType);
  return alien === undefined || alien.some((name) => names.includes(name)) ? undefined : mediaType;
}

function fieldsOf(bytes: Buffer): Partial<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(bytes.toString());
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? { ...parsed }
      : undefined;
  } catch {
    return undefined;
  }
}
