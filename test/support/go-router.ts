/**
 * distribution's way from a request target to a handler, transcribed without any wit: net/http's request line,
 * net/url's `ParseRequestURI`, gorilla/mux's `cleanPath` and routes with StrictSlash, and what its handlers parse.
 * Strings hold one byte a character.
 */
export interface Routed {
  readonly route: 'base' | 'tags' | 'manifest' | 'blob' | 'blob-upload' | 'blob-upload-chunk' | 'catalog';
  readonly name?: string;
  /** reference, digest or uuid */
  readonly variable?: string;
  /** go-digest could read it. What it can't read is taken for a tag. */
  readonly digest?: boolean;
  readonly form: ReadonlyMap<string, string>;
}

// distribution/reference, regexp.go
const alphanumeric = '[a-z0-9]+';
const separator = '(?:[._]|__|[-]+)';
const domainNameComponent = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const optionalPort = '(?::[0-9]+)?';
const TAG = '[\\w][\\w.-]{0,127}';
const ipv6address = '\\[(?:[a-fA-F0-9:]+)\\]';
const domainName = `${domainNameComponent}(?:\\.${domainNameComponent})*`;
const domainAndPort = `(?:${domainName}|${ipv6address})${optionalPort}`;
const pathComponent = `${alphanumeric}(?:${separator}${alphanumeric})*`;
const remoteName = `${pathComponent}(?:/${pathComponent})*`;
const NAME = `(?:${domainAndPort}/)?${remoteName}`;
const anchoredName = new RegExp(`^(?:(${domainAndPort})/)?(${remoteName})$`);
// opencontainers/go-digest, digest.go
const DIGEST = '[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+';

// registry/api/v2/descriptors.go, in its order
const ROUTES: readonly (readonly [Routed['route'], string])[] = [
  ['base', '/v2/'],
  ['tags', `/v2/(?<name>${NAME})/tags/list`],
  ['manifest', `/v2/(?<name>${NAME})/manifests/(?<variable>${TAG}|${DIGEST})`],
  ['blob', `/v2/(?<name>${NAME})/blobs/(?<variable>${DIGEST})`],
  ['blob-upload', `/v2/(?<name>${NAME})/blobs/uploads/`],
  ['blob-upload-chunk', `/v2/(?<name>${NAME})/blobs/uploads/(?<variable>[a-zA-Z0-9-_.=]+)`],
  ['catalog', '/v2/_catalog'],
];
const MATCHERS = ROUTES.map(([route, template]) => {
  const endSlash = template.endsWith('/');
  const pattern = new RegExp(`^${endSlash ? template.slice(0, -1) : template}[/]?$`);
  return { route, pattern, endSlash };
});

/** `undefined` when distribution would answer by itself: 400, 404 or a redirect. */
export function goRouter(target: string): Routed | undefined {
  const url = parseRequestUri(target);
  if (url === undefined || cleanPath(url.path) !== url.path) return undefined;
  for (const { route, pattern, endSlash } of MATCHERS) {
    const match = pattern.exec(url.path);
    if (match === null) continue;
    if (url.path.endsWith('/') !== endSlash) return undefined;
    const { name, variable } = match.groups ?? {};
    if (name !== undefined && !(anchoredName.test(name) && name.length <= 255)) return undefined;
    const form = parseQuery(url.query);
    return {
      route,
      form,
      ...(name === undefined ? {} : { name }),
      ...(variable === undefined ? {} : { variable, digest: isDigest(variable) }),
    };
  }
  return undefined;
}

function parseRequestUri(target: string): { path: string; query: string } | undefined {
  // The request line is cut at its blanks; url.parse refuses control characters.
  for (const character of target) if (character <= ' ' || character === '\x7f') return undefined;
  if (!target.startsWith('/')) return undefined; // a scheme or `*`: never below /v2/
  const cut = target.indexOf('?');
  const path = unescaped(cut < 0 ? target : target.slice(0, cut), false);
  return path === undefined ? undefined : { path, query: cut < 0 ? '' : target.slice(cut + 1) };
}

function unescaped(text: string, plusIsBlank: boolean): string | undefined {
  let result = '';
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character === '%') {
      const hex = text.slice(index + 1, index + 3);
      if (!/^[0-9a-fA-F]{2}$/.test(hex)) return undefined;
      result += String.fromCharCode(Number.parseInt(hex, 16));
      index += 2;
    } else result += plusIsBlank && character === '+' ? ' ' : character;
  }
  return result;
}

/** net/url's `ParseQuery`, and of several values the first, as `FormValue` does. */
function parseQuery(query: string): Map<string, string> {
  const form = new Map<string, string>();
  for (const pair of query.split('&')) {
    if (pair === '' || pair.includes(';')) continue;
    const cut = pair.indexOf('=');
    const key = unescaped(cut < 0 ? pair : pair.slice(0, cut), true);
    const value = unescaped(cut < 0 ? '' : pair.slice(cut + 1), true);
    if (key !== undefined && value !== undefined && !form.has(key)) form.set(key, value);
  }
  return form;
}

function cleanPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') kept.pop();
    else kept.push(segment);
  }
  const cleaned = `/${kept.join('/')}`;
  return path.endsWith('/') && cleaned !== '/' ? `${cleaned}/` : cleaned;
}

function isDigest(text: string): boolean {
  return /^(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$/.test(text);
}
