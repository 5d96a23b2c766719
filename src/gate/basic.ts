import { Secret } from '../secret.ts';

/** `none`: nobody says who they are. `malformed`: somebody does, in a way that can't be right. */
export type CredentialsResult =
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'basic'; readonly name: string; readonly password: Secret };

/** Names and passwords have tens of characters. Whoever sends more wants to see what happens. */
const LONGEST = 4096;
const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;
/** RFC 7617, section 2, wants neither in names nor in passwords what RFC 5234 calls CTL: below a blank, and DEL. */
const PRINTABLE = /^[^\p{Cc}]*$/u;
const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads the Authorization header: HTTP Basic (RFC 7617) in UTF-8. An empty name with an empty password is nobody, which
 * is what containers/image (podman, skopeo) sends without a login.
 */
export function readCredentials(authorization: string | undefined): CredentialsResult {
  if (authorization === undefined || authorization === '') return { kind: 'none' };
  const pair = authorization.length > LONGEST ? undefined : decode(BASIC.exec(authorization)?.[1]);
  const colon = pair?.indexOf(':') ?? -1;
  if (pair === undefined || colon < 0 || !PRINTABLE.test(pair)) return { kind: 'malformed' };
  if (pair === ':') return { kind: 'none' };
  return { kind: 'basic', name: pair.slice(0, colon), password: new Secret(pair.slice(colon + 1)) };
}

/** Node’s decoder takes anything for base64 and leaves out what isn’t: only what comes out again as it went in is right. */
function decode(base64: string | undefined): string | undefined {
  if (base64 === undefined) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64) return undefined;
  try {
    return UTF_8.decode(bytes);
  } catch {
    return undefined;
  }
}
