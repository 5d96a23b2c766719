import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import {
  type Authority,
  keyToPem,
  makeAuthority,
  makeLeaf,
  newKeyPair,
  readAuthority,
} from '../certificates/x509.ts';
import { Failure, messageOf } from '../errors.ts';
import type { Report } from '../step.ts';
import type { Clock } from '../system/clock.ts';
import { ensureDirectory, readIfExists, writeAtomically } from '../system/files.ts';
import type { Issued, Issuer, Order, Origin } from './issuer.ts';

const AUTHORITY_DAYS = 3650;
/** As long as public CAs went for years: short enough to be renewed in earnest, long enough for a laptop in a drawer. */
const LEAF_DAYS = 90;

/** The certificate that clients are told to trust. */
export function authorityFile(folder: string): string {
  return join(folder, 'ca.crt');
}

/** A CA of the person's own. It is made once; a new certificate never needs new trust. */
export class LocalIssuer implements Issuer {
  readonly origin: Origin = { issuer: 'local' };
  readonly #folder: string;
  readonly #clock: Clock;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  async issue({ names }: Order, report: Report): Promise<Issued> {
    const authority = await this.#authority(report);
    const { privateKey, certificate } = await makeLeaf(names, this.#clock.now(), LEAF_DAYS, authority);
    const chain = `${certificate}${authority.certificate.toString('pem')}\n`;
    return { privateKey, chain, origin: this.origin };
  }

  async #authority(report: Report): Promise<Authority> {
    const certificate = await readIfExists(authorityFile(this.#folder));
    const key = await readIfExists(join(this.#folder, 'ca-key.pem'));
    if (certificate === undefined) return this.#create(report);
    if (key === undefined) throw this.#damaged('ca-key.pem is missing');
    try {
      if (!belongTogether(certificate, key)) throw new Error('ca-key.pem is not the key of ca.crt');
      return await readAuthority(certificate, key);
    } catch (error) {
      throw this.#damaged(messageOf(error));
    }
  }

  /** The key is written first: without a certificate nobody trusts it yet, and a killed run simply makes a new one. */
  async #create(report: Report): Promise<Authority> {
    report('making a CA of your own');
    await ensureDirectory(this.#folder, 0o755);
    const keys = await newKeyPair();
    const key = await keyToPem(keys.privateKey);
    const certificate = await makeAuthority(
      `Moorage local CA (${hostname()})`,
      keys,
      this.#clock.now(),
      AUTHORITY_DAYS,
    );
    await writeAtomically(join(this.#folder, 'ca-key.pem'), key, 0o600);
    await writeAtomically(authorityFile(this.#folder), certificate, 0o644);
    return readAuthority(certificate, key);
  }

  #damaged(reason: string): Failure {
    return new Failure(
      'local-ca-damaged',
      `The local CA in ${this.#folder} can't be used: ${reason}.`,
      'Restore both files from a backup. Or remove the folder for a new CA; every client then has to trust that one.',
    );
  }
}

function belongTogether(certificatePem: string, keyPem: string): boolean {
  const ofKey = createPublicKey(createPrivateKey(keyPem)).export({ type: 'spki', format: 'der' });
  return new X509Certificate(certificatePem).publicKey.export({ type: 'spki', format: 'der' }).equals(ofKey);
}
