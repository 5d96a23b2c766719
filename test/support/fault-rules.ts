/** What an ACME request is for (RFC 8555 section 7.1, RFC 9773), by the URLs that the server itself gave out. */
export type Kind =
  | 'directory'
  | 'newNonce'
  | 'newAccount'
  | 'account'
  | 'newOrder'
  | 'order'
  | 'authorization'
  | 'challenge'
  | 'finalize'
  | 'certificate'
  | 'renewalInfo'
  | 'revokeCert'
  | 'keyChange'
  | 'other';

export type Fields = Record<string, unknown>;

/** A request as it came in. */
export interface Asked {
  readonly kind: Kind;
  readonly method: string;
  readonly path: string;
  /** The JWS payload, decoded but not verified; `undefined` for a GET and a POST-as-GET. */
  readonly payload: Fields | undefined;
  /** Account URL that it was signed for (`kid`). */
  readonly account: string | undefined;
  readonly at: Date;
}

/**
 * When to do what. All rules that match take effect: delays first, then the first that answers, resets or is silent
 * (others of these wait for a request of their own), then what is rewritten in whatever answer goes out.
 */
export interface Rule {
  readonly on: Kind | readonly Kind[] | 'any';
  readonly when?: (asked: Asked) => boolean;
  /** For the next so many requests; without, until it is removed. */
  readonly times?: number;
  readonly act: Action;
}

export type Action =
  /** In the CA's place: it never hears of the request. A string goes out as it is, anything else as JSON. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Breaks the connection, before the CA hears of the request or after it has done what it was asked. */
  | { readonly kind: 'reset'; readonly moment: 'before' | 'after' }
  /** Takes the request and never answers. */
  | { readonly kind: 'silence' }
  /** Holds the request back for milliseconds, or until something has happened. */
  | { readonly kind: 'delay'; readonly by: number | Promise<unknown> }
  /** Changes a JSON answer. A returned string goes out as it is: for malformed ones. */
  | { readonly kind: 'rewrite'; readonly body: (answer: Fields) => unknown }
  /** Sets headers; a function gets what the header was. */
  | {
      readonly kind: 'headers';
      readonly set: Readonly<Record<string, string | ((before: string | undefined) => string)>>;
    };

/** A problem document (RFC 8555 section 6.7) of `urn:ietf:params:acme:error:TYPE`. */
export function problem(
  status: number,
  type: string,
  headers: Readonly<Record<string, string>> = {},
): Action {
  const body = { type: `urn:ietf:params:acme:error:${type}`, detail: `${type}, says the test`, status };
  return {
    kind: 'answer',
    status,
    body,
    headers: { 'content-type': 'application/problem+json', ...headers },
  };
}

/** 429, to be tried again after seconds or at a date. */
export function rateLimited(retryAfter: number | Date): Action {
  const value = typeof retryAfter === 'number' ? String(retryAfter) : retryAfter.toUTCString();
  return problem(429, 'rateLimited', { 'retry-after': value });
}

/** The CA's clock as this machine sees it when it is itself so many milliseconds slow. */
export function skewedClock(milliseconds: number): Action {
  const date = (before: string | undefined) =>
    new Date((before === undefined ? Date.now() : Date.parse(before)) + milliseconds).toUTCString();
  return { kind: 'headers', set: { date } };
}
