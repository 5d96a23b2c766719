import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

export interface Certificate {
  /** DNS names and IP addresses of the subjectAltName, in canonical form: lower case, IPv6 shortened (RFC 5952). */
  readonly names: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SHA-256 of the DER, upper-case hex with colons. */
  readonly fingerprint: string;
  /** The common name of who signed it, or its organization. */
  readonly issuerName: string;
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * The certificates of a PEM chain, in its order.
 * @throws when there is none, or one that can't be parsed
 */
export function parseChain(pem: string): [X509Certificate, ...X509Certificate[]] {
  const [leaf, ...rest] = (pem.match(PEM_CERTIFICATE) ?? []).map((each) => new X509Certificate(each));
  if (leaf === undefined) throw new Error('there is no PEM certificate in it');
  return [leaf, ...rest];
}

/** The facts of the first certificate of a PEM chain. */
export function readCertificate(pem: string): Certificate {
  const [leaf] = parseChain(pem);
  return {
    names: alternativeNames(leaf),
    notBefore: new Date(leaf.validFrom),
    notAfter: new Date(leaf.validTo),
    fingerprint: leaf.fingerprint256,
    issuerName: attribute(leaf.issuer, 'CN') ?? attribute(leaf.issuer, 'O') ?? leaf.issuer,
  };
}

/** One form for each name, so that names can be compared. */
export function canonicalName(name: string): string {
  if (isIP(name) !== 6) return name.toLowerCase();
  return new URL(`http://[${name}]`).hostname.slice(1, -1);
}

/** Node prints them as `DNS:a.example, IP Address:FD00:0:0:0:0:0:0:1`. */
function alternativeNames({ subjectAltName }: X509Certificate): string[] {
  return (subjectAltName ?? '')
    .split(', ')
    .map((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1])
    .filter((name) => name !== undefined)
    .map(canonicalName);
}

/** Node prints a distinguished name as one `KEY=value` a line. */
function attribute(distinguishedName: string, key: string): string | undefined {
  const line = distinguishedName.split('\n').find((each) => each.startsWith(`${key}=`));
  return line?.slice(key.length + 1);
}
