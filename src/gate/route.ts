import { isDigest, isRepositoryName, isTag, isUploadId } from './grammar.ts';
import { type Parameter, readUri } from './uri.ts';

/** What a request is about, and what its sender has to be allowed to. */
export type Route = Place & { readonly action: Action };

/** `none`: it is enough to be somebody. `catalog`: whoever asks, the answer shows what they may pull. */
export type Action = 'none' | 'pull' | 'push' | 'delete' | 'catalog';

export type Place =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: Reference }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'upload-start'; readonly repository: string; readonly mount?: Mount }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: string };

export type Reference =
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'digest'; readonly digest: string };

/**
 * A blob that is to be taken over from another repository. `from` has each source that was given, `digest` is the first
 * blob: Go's `FormValue` takes the first of several, but nobody has to rely on that.
 */
export interface Mount {
  readonly digest?: string;
  readonly from: readonly string[];
}

export interface RouteProblem {
  readonly status: 400 | 404 | 405;
  /** distribution-spec 1.1, "Error Codes". */
  readonly code:
    | 'NAME_INVALID'
    | 'DIGEST_INVALID'
    | 'MANIFEST_UNKNOWN'
    | 'BLOB_UPLOAD_UNKNOWN'
    | 'UNSUPPORTED';
  readonly message: string;
  /** With status 405: the methods there are (RFC 9110, section 15.5.6, wants them in `Allow`). */
  readonly allow?: readonly string[];
}

export type RouteResult =
  | { readonly ok: true; readonly route: Route }
  | { readonly ok: false; readonly problem: RouteProblem };

type PlaceResult = Place | RouteProblem;

/**
 * A part of distribution's methods: it also answers a POST below an upload by starting another one, mount and all, and
 * any method at `/v2/`. Cancelling an upload is part of pushing: a push that fails has to be able to clean up.
 */
const METHODS: Readonly<Record<Place['kind'], ReadonlyMap<string, Action>>> = {
  base: reading('none'),
  catalog: reading('catalog'),
  tags: reading('pull'),
  manifest: new Map<string, Action>([...reading('pull'), ['PUT', 'push'], ['DELETE', 'delete']]),
  blob: new Map<string, Action>([...reading('pull'), ['DELETE', 'delete']]),
  'upload-start': new Map([['POST', 'push']]),
  upload: new Map([...reading('push'), ['PATCH', 'push'], ['PUT', 'push'], ['DELETE', 'push']]),
  referrers: reading('pull'),
};

/**
 * Reads a request as distribution (2.8 and 3.0) will read it, which gets the same URI: Go's net/url decodes it, then
 * gorilla/mux looks for a route (`registry/api/v2/descriptors.go`). What would be redirected or could be read in two
 * ways is refused. It takes time linear in the URI.
 *
 * @param method as the client sent it
 * @param uri nginx's `$request_uri`: path and query as the client sent them
 */
export function readRoute(method: string, uri: string): RouteResult {
  const read = readUri(uri);
  if (!read.ok) return { ok: false, problem: noRoute(400, `The address can’t be read: ${read.because}.`) };
  const place = readPlace(read.path, read.query);
  if (!('kind' in place)) return { ok: false, problem: place };
  const methods = METHODS[place.kind];
  const action = methods.get(method);
  if (action !== undefined) return { ok: true, route: { ...place, action } };
  const allow = [...methods.keys()];
  const message = `There is no such method here; there is ${allow.join(', ')}.`;
  return { ok: false, problem: { status: 405, code: 'UNSUPPORTED', message, allow } };
}

function reading(action: Action): ReadonlyMap<string, Action> {
  return new Map([
    ['GET', action],
    ['HEAD', action],
  ]);
}

/** The last segments tell the route, what is before them is the name: `a/manifests/tags/list` are tags of `a/manifests`. */
function readPlace(path: string, query: readonly Parameter[]): PlaceResult {
  if (!path.startsWith('/v2/')) return noRoute(404, 'Everything here is below /v2/.');
  const rest = path.slice('/v2/'.length);
  if (rest === '') return { kind: 'base' };
  if (rest === '_catalog') return { kind: 'catalog' };
  const [before, word, last] = splitEnd(rest);
  if (word === 'uploads') {
    const [repository, blobs] = splitLast(before);
    if (blobs === 'blobs') return readUpload(repository, last, query);
  }
  if (word === 'manifests') return named(before, readReference(before, last));
  if (word === 'tags' && last === 'list') return named(before, { kind: 'tags', repository: before });
  if (word === 'blobs' && last !== 'uploads')
    return named(before, readDigest(last) ?? { kind: 'blob', repository: before, digest: last });
  if (word === 'referrers')
    return named(before, readDigest(last) ?? { kind: 'referrers', repository: before, digest: last });
  return noRoute(404, 'There is no such path in the API of a registry.');
}

function readUpload(repository: string, id: string, query: readonly Parameter[]): PlaceResult {
  if (id === '') return named(repository, readStart(repository, query));
  if (isUploadId(id)) return named(repository, { kind: 'upload', repository, id });
  return { status: 404, code: 'BLOB_UPLOAD_UNKNOWN', message: 'No upload is called so.' };
}

function readStart(repository: string, query: readonly Parameter[]): PlaceResult {
  // Nothing has the empty name, neither here nor in distribution: an empty parameter is none.
  const values = (wanted: string) =>
    query.flatMap(([name, value]) => (name === wanted && value !== '' ? [value] : []));
  const from = values('from');
  const digests = values('mount');
  for (const name of from) if (!isRepositoryName(name)) return badName('from');
  for (const digest of digests) {
    const problem = readDigest(digest);
    if (problem !== undefined) return problem;
  }
  if (from.length === 0 && digests.length === 0) return { kind: 'upload-start', repository };
  const [digest] = digests;
  const mount = digest === undefined ? { from } : { digest, from };
  return { kind: 'upload-start', repository, mount };
}

function readReference(repository: string, text: string): PlaceResult {
  const kind = 'manifest';
  // A tag has no colon, a digest has one.
  if (text.includes(':'))
    return readDigest(text) ?? { kind, repository, reference: { kind: 'digest', digest: text } };
  if (isTag(text)) return { kind, repository, reference: { kind: 'tag', tag: text } };
  return { status: 404, code: 'MANIFEST_UNKNOWN', message: 'No tag can be called so.' };
}

function readDigest(text: string): RouteProblem | undefined {
  if (isDigest(text)) return undefined;
  const message = 'A digest is sha256: and 64, or sha512: and 128 digits of 0-9 and a-f.';
  return { status: 400, code: 'DIGEST_INVALID', message };
}

function named(repository: string, place: PlaceResult): PlaceResult {
  return isRepositoryName(repository) ? place : badName('The repository');
}

function badName(what: string): RouteProblem {
  const message = `${what} is not named as the distribution-spec wants it: lower case letters, digits, single separators, 255 characters at the most.`;
  return { status: 400, code: 'NAME_INVALID', message };
}

function noRoute(status: 400 | 404, message: string): RouteProblem {
  return { status, code: 'UNSUPPORTED', message };
}

function splitEnd(text: string): readonly [before: string, word: string, last: string] {
  const [start, last] = splitLast(text);
  const [before, word] = splitLast(start);
  return [before, word, last];
}

function splitLast(text: string): readonly [before: string, last: string] {
  const slash = text.lastIndexOf('/');
  return slash < 0 ? ['', text] : [text.slice(0, slash), text.slice(slash + 1)];
}
