/** How a registry wants its clients to log in (RFC 9110 section 11.6.1; distribution, docs/spec/auth/token.md). */
export type Challenge =
  | { readonly scheme: 'basic' }
  | {
      readonly scheme: 'bearer';
      readonly realm: string;
      readonly service: string | undefined;
      readonly scope: string | undefined;
    };

/** The challenge in a `WWW-Authenticate`; tokens before passwords. `undefined`: none that is known here. */
export function readChallenge(header: string): Challenge | undefined {
  const bearer = /\bbearer +(.*)/i.exec(header)?.[1];
  if (bearer !== undefined) {
    const parameter = (name: string) => new RegExp(`\\b${name}="([^"]*)"`, 'i').exec(bearer)?.[1];
    const realm = parameter('realm');
    if (realm !== undefined)
      return { scheme: 'bearer', realm, service: parameter('service'), scope: parameter('scope') };
  }
  return /\bbasic\b/i.test(header) ? { scheme: 'basic' } : undefined;
}
