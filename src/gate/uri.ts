/** A request URI after the one decoding that Go's net/url does. */
export type Uri =
  | { readonly ok: true; readonly path: string; readonly query: readonly Parameter[] }
  | { readonly ok: false; readonly because: string };

export type Parameter = readonly [name: string, value: string];

const OUTSIDE_ASCII = /[^\x21-\x7e]/;
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/;
const ESCAPE = /%([0-9A-Fa-f]{2})/g;
/** gorilla/mux answers these with a redirect to what `path.Clean` makes of them. */
const UNCLEAN = /\/(?:\/|\.{1,2}(?:\/|$))/;

/**
 * Reads nginx's `$request_uri`: path and query as the client sent them, and as distribution gets them. Whatever two
 * parsers could read in two ways is refused: escapes are decoded once (`%2f` is a slash, as in Go's `URL.Path`), and
 * the result has to be in canonical form.
 */
export function readUri(uri: string): Uri {
  if (!uri.startsWith('/')) return refused('it does not begin with a slash');
  if (OUTSIDE_ASCII.test(uri))
    return refused('it has characters outside ASCII, blanks or control characters');
  if (uri.includes('#')) return refused('it has a fragment');
  if (BAD_ESCAPE.test(uri)) return refused('it has a percent sign that begins no escape');
  const mark = uri.indexOf('?');
  const path = decode(mark < 0 ? uri : uri.slice(0, mark));
  if (OUTSIDE_ASCII.test(path) || path.includes('\\') || path.includes('%'))
    return refused('its path has characters that are in no path of a registry');
  if (UNCLEAN.test(path)) return refused('its path has empty or dot segments');
  return readQuery(path, mark < 0 ? '' : uri.slice(mark + 1));
}

function readQuery(path: string, raw: string): Uri {
  // Go leaves a pair with a semicolon out, other parsers split there.
  if (raw.includes(';')) return refused('its query has a semicolon');
  const query: Parameter[] = [];
  for (const pair of raw.split('&')) {
    if (pair === '') continue;
    const decoded = pair.replaceAll('+', ' ');
    const equals = decoded.indexOf('=');
    const name = decode(equals < 0 ? decoded : decoded.slice(0, equals));
    const value = equals < 0 ? '' : decode(decoded.slice(equals + 1));
    if (/[^\x20-\x7e]/.test(name + value))
      return refused('its query has characters outside ASCII or control characters');
    query.push([name, value]);
  }
  return { ok: true, path, query };
}

/** Byte by byte: what would be UTF-8 comes out as Latin-1 and is refused by the callers. */
function decode(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(ESCAPE, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function refused(because: string): Uri {
  return { ok: false, because };
}
