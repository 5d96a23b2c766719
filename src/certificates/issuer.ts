import type { Report } from '../step.ts';

/** What is asked of an issuer. */
export interface Order {
  /** DNS names and IP addresses; the first is the subject. */
  readonly names: readonly string[];
  /** Fingerprint of the certificate that the new one takes the place of: that very one is no answer. */
  readonly replaces: string | undefined;
}

/** What an issuer hands back. Nothing of it has been verified or stored yet. */
export interface Issued {
  /** PEM, PKCS #8. */
  readonly privateKey: string;
  /** PEM, the leaf first, each certificate followed by the one that signed it (RFC 8446 section 4.4.2). */
  readonly chain: string;
  readonly origin: Origin;
}

/** Where a certificate comes from. A certificate of another origin than the one wanted is replaced. */
export type Origin =
  | { readonly issuer: 'placeholder' }
  | { readonly issuer: 'local' }
  /** `directory` is the URL of the ACME directory object. */
  | { readonly issuer: 'certbot'; readonly directory: string };

/** Gets certificates from somewhere. Knows nothing of the store or of nginx. */
export interface Issuer {
  readonly origin: Origin;
  issue(order: Order, report: Report): Promise<Issued>;
}

export function sameOrigin(one: Origin, other: Origin): boolean {
  if (one.issuer !== other.issuer) return false;
  return one.issuer !== 'certbot' || other.issuer !== 'certbot' || one.directory === other.directory;
}
