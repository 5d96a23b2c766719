import { parseChain } from '../certificates/certificate.ts';
import { Failure } from '../errors.ts';

/** The CA that a registry is trusted by. */
export interface Authority {
  /** One certificate each, nothing else. */
  readonly certificates: readonly string[];
  /** All of them. */
  readonly pem: string;
  /** SHA-256 of the first, upper-case hex with colons: what a person compares. */
  readonly fingerprint: string;
}

/**
 * @param source what it is called in an error
 * @throws Failure `no-authority` where clients could not go by it
 */
export function readAuthority(pem: string, source: string, now: Date): Authority {
  const refuse = (what: string, remedy = 'Take var/ca/ca.crt of the registry’s machine.') =>
    new Failure('no-authority', `${source} ${what}.`, remedy);
  if (/PRIVATE KEY-----/.test(pem))
    throw refuse('has a private key in it', 'Clients need the certificate alone: ca.crt, not ca-key.pem.');
  const chain = tryParse(pem);
  if (chain === undefined) throw refuse('holds no certificate in PEM form');
  for (const each of chain) {
    const until = new Date(each.validTo);
    if (!each.ca) throw refuse(`holds the certificate of a server, not of a CA: ${oneLine(each.subject)}`);
    if (until < now) throw refuse(`holds a CA that ended on ${until.toISOString().slice(0, 10)}`);
  }
  const certificates = chain.map((each) => each.toString());
  return { certificates, pem: certificates.join(''), fingerprint: chain[0].fingerprint256 };
}

/** Whether all certificates of an authority are among those of a PEM file. */
export function holds(pem: string | undefined, { pem: wanted }: Pick<Authority, 'pem'>): boolean {
  const prints = (text: string) => (tryParse(text) ?? []).map(({ fingerprint256 }) => fingerprint256);
  const present = prints(pem ?? '');
  return prints(wanted).every((each) => present.includes(each));
}

/** However somebody writes it: with colons or without, in capitals or not. */
export function sameFingerprint(one: string, other: string): boolean {
  const plain = (text: string) =>
    text
      .replace(/^sha256( fingerprint)?[:=]/i, '')
      .replace(/[:\s]/g, '')
      .toLowerCase();
  return plain(one) === plain(other);
}

function tryParse(pem: string) {
  try {
    return parseChain(pem);
  } catch {
    return undefined;
  }
}

function oneLine(subject: string | undefined): string {
  return (subject ?? '').split('\n').join(', ');
}
