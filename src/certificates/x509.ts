import { createPrivateKey, createPublicKey, randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import { canonicalName } from './certificate.ts';

x509.cryptoProvider.set(webcrypto);

type CryptoKey = webcrypto.CryptoKey;
type CryptoKeyPair = webcrypto.CryptoKeyPair;

/** NIST P-256 with SHA-256: what every client of a registry has, and what public CAs issue for. */
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** Clocks of clients may be behind. */
const BACKDATED = 5 * 60_000;
const DAY = 24 * 3_600_000;

export interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly privateKey: CryptoKey;
}

export interface Signed {
  /** PEM, PKCS #8. */
  readonly privateKey: string;
  /** PEM, the leaf alone. */
  readonly certificate: string;
}

export async function newKeyPair(): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

export async function keyToPem(key: CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

/** A CA that may sign leaves and no other CAs (RFC 5280 sections 4.2.1.3 and 4.2.1.9). */
export async function makeAuthority(
  name: string,
  keys: CryptoKeyPair,
  now: Date,
  days: number,
): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: [{ CN: [name] }],
    ...validity(now, days),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

/**
 * A server certificate for names and addresses, signed by an authority, or by itself when there is none. It ends no
 * later than the authority: clients refuse it then, whatever its own dates say.
 */
export async function makeLeaf(
  names: readonly string[],
  now: Date,
  days: number,
  authority?: Authority,
): Promise<Signed> {
  const keys = await newKeyPair();
  const subject = [{ CN: [names[0] ?? ''] }];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject,
    issuer: authority?.certificate.subjectName ?? subject,
    ...validity(now, days, authority?.certificate.notAfter),
    publicKey: keys.publicKey,
    signingKey: authority?.privateKey ?? keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        // The library misreads an IPv6 address that ends in a dotted IPv4 one; the canonical form never does.
        names.map((name) => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: canonicalName(name) }) as const),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority?.certificate.publicKey ?? keys.publicKey),
    ],
  });
  return { privateKey: await keyToPem(keys.privateKey), certificate: `${certificate.toString('pem')}\n` };
}

/** @throws when one of the two can't be read */
export async function readAuthority(certificatePem: string, keyPem: string): Promise<Authority> {
  return {
    certificate: new x509.X509Certificate(certificatePem),
    privateKey: (await readKeyPair(keyPem)).privateKey,
  };
}

/** @throws when it is not a P-256 private key */
export async function readKeyPair(pem: string): Promise<CryptoKeyPair> {
  const key = createPrivateKey(pem);
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return {
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', spki, ALGORITHM, true, ['verify']),
  };
}

/**
 * `base64url(AKI keyIdentifier) "." base64url(serial number)` (RFC 9773 section 4.1).
 * @param der one certificate
 * @throws when it names no key of its issuer
 */
export function renewalIdentifier(der: Uint8Array): string {
  const certificate = new x509.X509Certificate(der);
  const keyId = certificate.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId;
  if (keyId === undefined) throw new Error('the certificate does not name the key of its issuer');
  const serial = Buffer.from(certificate.serialNumber, 'hex');
  // A DER integer whose first bit is set begins with a zero byte, else it would be negative. Printed forms drop it.
  const encoded = (serial[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), serial]) : serial;
  return `${Buffer.from(keyId, 'hex').toString('base64url')}.${encoded.toString('base64url')}`;
}

function validity(now: Date, days: number, latest?: Date): { notBefore: Date; notAfter: Date } {
  const end = now.getTime() + days * DAY;
  return {
    notBefore: new Date(now.getTime() - BACKDATED),
    notAfter: new Date(Math.min(end, latest?.getTime() ?? end)),
  };
}

/** 126 random bits, positive and without leading zeros (RFC 5280 section 4.1.2.2). */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}
