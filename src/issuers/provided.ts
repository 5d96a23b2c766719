import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseChain, readCertificate } from '../certificates/certificate.ts';
import type { Issued, Issuer, Order, Origin } from '../certificates/issuer.ts';
import { faults, keyFaults, type Pair } from '../certificates/verify.ts';
import { Failure, messageOf } from '../errors.ts';
import type { ProvidedFiles } from '../settings/provided-folder.ts';
import type { Clock } from '../system/clock.ts';

/** Follows a certificate that somebody else writes. It is validated like any other; a bad pair is never served. */
export class ProvidedIssuer implements Issuer {
  readonly origin: Origin = { issuer: 'provided' };
  readonly #files: ProvidedFiles;
  readonly #clock: Clock;

  constructor(files: ProvidedFiles, clock: Clock) {
    this.#files = files;
    this.#clock = clock;
  }

  /** A pair that can't be read or does not belong together has a name too, so that the next one is noticed. */
  async offered(): Promise<string | undefined> {
    const pair = await this.#read().catch(() => undefined);
    if (pair === undefined) return undefined;
    try {
      if (keyFaults(pair.privateKey, parseChain(pair.chain)[0]).length === 0)
        return readCertificate(pair.chain).fingerprint;
    } catch {
      // no certificate at all
    }
    return createHash('sha256').update(pair.chain).update(pair.privateKey).digest('hex');
  }

  async issue({ names }: Order): Promise<Issued> {
    const pair = await this.#read();
    const reasons = faults(pair, names, this.#clock.now());
    if (reasons.length === 0) return { ...pair, origin: this.origin };
    const { certificate, key } = this.#files;
    const swapped = /PRIVATE KEY/.test(pair.chain) && /BEGIN CERTIFICATE/.test(pair.privateKey);
    throw new Failure(
      'provided-unfit',
      `${certificate} and ${key} are not fit to be served: ${swapped ? 'the two are swapped' : reasons.join('; ')}.`,
      'Put a pair there that fits: it is looked at again by itself. What was served before is served still.',
    );
  }

  async rehearse(order: Order): Promise<string> {
    await this.issue(order);
    return `the pair in ${this.#files.certificate} is fit to be served`;
  }

  async #read(): Promise<Pair> {
    const { certificate, key } = this.#files;
    return {
      chain: await readProvided(certificate, 'TLS_CERT_FILE'),
      privateKey: await readProvided(key, 'TLS_KEY_FILE'),
    };
  }
}

async function readProvided(path: string, setting: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Failure(
      'provided-unreadable',
      `${setting}: ${path} can't be read: ${messageOf(error)}.`,
      'Put it there, readable for the user that runs this. The certificate that is served stays.',
      { cause: error },
    );
  }
}
