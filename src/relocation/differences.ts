import type { FileFacts, Scan } from './scan.ts';

/** What makes one place like another. Paths as in a `Scan`. */
export interface Differences {
  /** Parents first. */
  readonly folders: readonly string[];
  readonly copy: readonly string[];
  /** Files and folders that are there too much; of a folder not what is in it. */
  readonly remove: readonly string[];
  readonly bytes: number;
  /** Whether a link there stays that is newer by the time it would be replaced: both places may have been served. */
  readonly newerStays?: boolean;
}

/** Times go through seconds as a double on their way to the disk: what is closer than that is the same, in ms. */
const SAME_TIME = 0.01;
const BLOB = /^docker\/registry\/v2\/blobs\/(sha256|sha512)\/[0-9a-f]{2}\/([0-9a-f]{64,128})\/data$/;

/** What a blob is named after; `undefined` for all other files. */
export function digestIn(path: string): { readonly algorithm: string; readonly hex: string } | undefined {
  const [, algorithm, hex] = BLOB.exec(path) ?? [];
  return algorithm === undefined || hex === undefined ? undefined : { algorithm, hex };
}

/** What has to be done for `to` to be as `from` is. */
export function differences(from: Scan, to: Scan): Differences {
  const copy = [...from.files].filter(([path, facts]) => !isSame(path, facts, to.files.get(path)));
  const extra = [
    ...[...to.files.keys()].filter((path) => !from.files.has(path)),
    ...to.halves,
    ...[...to.folders].filter((path) => !from.folders.has(path)),
  ].sort();
  const gone = new Set(extra);
  return {
    folders: [...from.folders].filter((path) => !to.folders.has(path)),
    ...listed(copy),
    remove: extra.filter((path) => !gone.has(parentOf(path))),
  };
}

/**
 * What was written to the place that serves no more, after it was last compared: a run that was killed had let writes in
 * again. In the order of a push, for a registry that is at work: layers, manifests, tags. Of blobs all that are missing: one
 * too many takes room until the next collection, one too few is a lost image.
 * @param since ms since 1970; 0: it was never compared
 */
export function lateArrivals(from: Scan, to: Scan, since: number): Differences {
  const late = [...from.files].filter(([path, facts]) => {
    const there = to.files.get(path);
    // An upload that was begun before and ended after has its blob from the time of its last byte.
    if (digestIn(path) !== undefined) return there === undefined;
    return facts.written > since && !outdoes(there, facts);
  });
  const needed = new Set(late.flatMap(([path]) => parentsOf(path)));
  return {
    folders: [...from.folders].filter((path) => needed.has(path) && !to.folders.has(path)),
    ...listed(late),
    remove: to.halves,
    newerStays: true,
  };
}

/**
 * Whether a link that is there counts for more than another of its name. What a machine that lost power cut off is shorter:
 * no link is empty, and of two of the same time the longer one is whole.
 */
export function outdoes(there: FileFacts | undefined, { bytes, written }: FileFacts): boolean {
  if (there === undefined) return false;
  if (Math.abs(there.written - written) < SAME_TIME) return there.bytes >= bytes;
  return there.written > written || bytes === 0;
}

/** A blob never changes: one of the same size is the same, as far as its hash says so. */
function isSame(path: string, one: FileFacts, other: FileFacts | undefined): boolean {
  if (other === undefined || one.bytes !== other.bytes) return false;
  return digestIn(path) !== undefined || Math.abs(one.written - other.written) < SAME_TIME;
}

function listed(files: readonly (readonly [string, FileFacts])[]) {
  const copy = files.map(([path]) => path).sort();
  return { copy, bytes: files.reduce((sum, [, facts]) => sum + facts.bytes, 0) };
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** The folders above, from the uppermost on. */
export function parentsOf(path: string): string[] {
  const parent = parentOf(path);
  return parent === '' ? [] : [...parentsOf(parent), parent];
}
