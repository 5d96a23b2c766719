import { hostname } from 'node:os';
import { join } from 'node:path';
import { parseChain } from '../certificates/certificate.ts';
import type { Issued, Issuer, Order, Origin } from '../certificates/issuer.ts';
import { keyFaults, verifyPair } from '../certificates/verify.ts';
import {
  type Authority,
  keyToPem,
  makeAuthority,
  makeLeaf,
  newKeyPair,
  readAuthority,
  readKeyPair,
} from '../certificates/x509.ts';
import { Failure, messageOf } from '../errors.ts';
import type { Report } from '../step.ts';
import type { Clock } from '../system/clock.ts';
import { ensureDirectory, readIfExists, writeAtomically } from '../system/files.ts';

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

  /** Nobody counts what a CA of one's own does: it is done, and thrown away. */
  async rehearse(order: Order, report: Report): Promise<string> {
    verifyPair(await this.issue(order, report), order.names, this.#clock.now());
    return 'the local CA made a certificate, and it was thrown away';
  }

  async #authority(report: Report): Promise<Authority> {
    const certificate = await readIfExists(authorityFile(this.#folder));
    const key = await readIfExists(join(this.#folder, 'ca-key.pem'));
    if (certificate === undefined) return this.#create(key, report);
    if (key === undefined) throw this.#damaged('ca-key.pem is missing');
    const authority = await this.#read(certificate, key);
    const { notAfter } = authority.certificate;
    if (this.#clock.now() < notAfter) return authority;
    throw new Failure(
      'local-ca-expired',
      `The local CA in ${this.#folder} expired on ${notAfter.toISOString().slice(0, 10)}.`,
      'Remove the folder for a new CA; every client then has to trust that one.',
    );
  }

  async #read(certificate: string, key: string): Promise<Authority> {
    try {
      const [fault] = keyFaults(key, parseChain(certificate)[0]);
      if (fault !== undefined) throw new Error(fault);
      return await readAuthority(certificate, key);
    } catch (error) {
      throw this.#damaged(messageOf(error));
    }
  }

  /**
   * The key is written first, and a key without its certificate gets one again. After a kill that completes the CA;
   * after a loss of `ca.crt` on the same host, who trusted it trusts the new one too: a trust anchor is a name and a
   * key (RFC 5280 section 6.1.1).
   */
  async #create(existingKey: string | undefined, report: Report): Promise<Authority> {
    report('making a CA of your own');
    await ensureDirectory(this.#folder, 0o755);
    const keys = await this.#keys(existingKey);
    const key = await keyToPem(keys.privateKey);
    const certificate = await makeAuthority(
      `Moorage local CA (${hostname()})`,
      keys,
      this.#clock.now(),
      AUTHORITY_DAYS,
    );
    if (existingKey === undefined) await writeAtomically(join(this.#folder, 'ca-key.pem'), key, 0o600);
    await writeAtomically(authorityFile(this.#folder), certificate, 0o644);
    return readAuthority(certificate, key);
  }

  async #keys(existing: string | undefined) {
    if (existing === undefined) return newKeyPair();
    return readKeyPair(existing).catch((error) => {
      throw this.#damaged(messageOf(error));
    });
  }

  #damaged(reason: string): Failure {
    return new Failure(
      'local-ca-damaged',
      `The local CA in ${this.#folder} can't be used: ${reason}.`,
      'Restore both files from a backup. Or remove the folder for a new CA; every client then has to trust that one.',
    );
  }
}
