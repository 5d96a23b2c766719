import { createPrivateKey, sign, verify, type X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { Failure, messageOf } from '../errors.ts';
import { parseChain } from './certificate.ts';

export interface Pair {
  /** PEM */
  readonly privateKey: string;
  /** PEM, leaf first */
  readonly chain: string;
}

/**
 * Everything a certificate has to be before clients may see it: its key is ours, it names every name, each
 * certificate of the chain is signed by the next one, and all are valid now.
 * @throws Failure `certificate-unfit`, with each reason
 */
export function verifyPair(pair: Pair, names: readonly string[], now: Date): void {
  const reasons = faults(pair, names, now);
  if (reasons.length === 0) return;
  throw new Failure(
    'certificate-unfit',
    `The certificate is not fit to be served: ${reasons.join('; ')}.`,
    'The one that is served stays. If this comes again, report it to the issuer.',
  );
}

/** The reasons against a pair; none when it is fit. */
export function faults({ privateKey, chain }: Pair, names: readonly string[], now: Date): string[] {
  let certificates: [X509Certificate, ...X509Certificate[]];
  try {
    certificates = parseChain(chain);
  } catch (error) {
    return [`the chain can't be read (${messageOf(error)})`];
  }
  return [...keyFaults(privateKey, certificates[0]), ...servedFaults(certificates, names, now)];
}

/** What speaks against a chain, leaf first, as it is shown to clients: its names, its order, its dates. */
export function servedFaults(
  certificates: readonly [X509Certificate, ...X509Certificate[]],
  names: readonly string[],
  now: Date,
): string[] {
  const [leaf] = certificates;
  return [
    ...names.filter((name) => !covers(leaf, name)).map((name) => `it does not name ${name}`),
    ...chainFaults(certificates),
    ...certificates.flatMap((each) => dateFaults(each, now)),
  ];
}

/** What speaks against a private key (PEM) as the one of a certificate. */
export function keyFaults(privateKey: string, leaf: X509Certificate): string[] {
  try {
    const key = createPrivateKey(privateKey);
    // The first looks only at the copy of the public key that a private key brings along; a signature proves the key.
    const ours =
      leaf.checkPrivateKey(key) && verify(null, leaf.raw, leaf.publicKey, sign(null, leaf.raw, key));
    return ours ? [] : ['the private key is that of another certificate'];
  } catch (error) {
    return [`the private key can't be read (${messageOf(error)})`];
  }
}

function covers(leaf: X509Certificate, name: string): boolean {
  // RFC 9525 section 6.3: a wildcard is a whole label; the common name never counts.
  const rules = { subject: 'never', partialWildcards: false } as const;
  const match = isIP(name) === 0 ? leaf.checkHost(name, rules) : leaf.checkIP(name);
  return match !== undefined;
}

function chainFaults(certificates: readonly X509Certificate[]): string[] {
  return certificates.flatMap((certificate, position) => {
    const signer = certificates[position + 1];
    if (signer === undefined || signedBy(certificate, signer)) return [];
    return [`certificate ${position + 1} of the chain is not signed by the next one`];
  });
}

/** Names, key identifiers and key usage fit (RFC 5280), and so does the signature. */
function signedBy(certificate: X509Certificate, signer: X509Certificate): boolean {
  return certificate.checkIssued(signer) && certificate.verify(signer.publicKey);
}

function dateFaults(certificate: X509Certificate, now: Date): string[] {
  if (now < new Date(certificate.validFrom)) return [`it is valid only from ${certificate.validFrom}`];
  if (now >= new Date(certificate.validTo)) return [`it expired on ${certificate.validTo}`];
  return [];
}
