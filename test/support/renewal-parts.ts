import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { prepareHttp } from '../../src/acme/http.ts';
import { readCertificate } from '../../src/certificates/certificate.ts';
import type { ConfigTest, WebServer } from '../../src/certificates/deploy.ts';
import { Ledger } from '../../src/certificates/ledger.ts';
import type { Limits } from '../../src/certificates/limits.ts';
import type { RenewalParts } from '../../src/certificates/outlook.ts';
import { StateFile } from '../../src/certificates/state.ts';
import { CertificateStore } from '../../src/certificates/store.ts';
import { AcmeIssuer, type AcmeOptions } from '../../src/issuers/acme.ts';
import { Http01 } from '../../src/issuers/http-01.ts';
import { paths } from '../../src/paths.ts';
import { type Clock, systemClock } from '../../src/system/clock.ts';

export const NAME = 'registry.moorage.example';

/** What a process needs to know to take part in a rig. */
export interface Place {
  /** Stands for the checkout. */
  readonly root: string;
  readonly directory: string;
  readonly trust: string;
  readonly httpPort: number;
}

export interface Changes
  extends Partial<Pick<AcmeOptions, 'profile' | 'externalAccount' | 'limits' | 'free'>> {
  readonly names?: readonly string[];
  readonly clock?: Clock;
  readonly webServer?: WebServer;
  readonly directory?: string;
  /** Directory URL of a CA for rehearsals. */
  readonly staging?: string;
  /** Directory URL. */
  readonly fallback?: string;
  readonly limits?: Limits;
  /** Milliseconds for one request. */
  readonly timeout?: number;
}

/** Fresh parts each time, as a new process would open them. */
export function renewalAt(place: Place, changes: Changes = {}): RenewalParts {
  const places = paths(place.root);
  const { clock = systemClock, names = [NAME], directory = place.directory } = changes;
  prepareHttp(place.trust, clock, ...(changes.timeout === undefined ? [] : [{ timeout: changes.timeout }]));
  const issuer = (url: string, slug: string, staging?: AcmeIssuer) =>
    new AcmeIssuer({
      folder: join(places.acme, slug),
      directory: url,
      email: undefined,
      externalAccount: changes.externalAccount,
      clock,
      limits: changes.limits,
      profile: changes.profile,
      solver: new Http01(places.challenges, { host: '127.0.0.1', port: place.httpPort }),
      ledger: new Ledger(places.ledger, clock),
      staging,
      doubts: undefined,
      free: changes.free ?? true,
    });
  const staging = changes.staging === undefined ? undefined : issuer(changes.staging, 'staging');
  return {
    names,
    issuer: issuer(directory, 'first', staging),
    fallback: changes.fallback === undefined ? undefined : issuer(changes.fallback, 'fallback'),
    store: new CertificateStore(places.certificates, clock),
    webServer: changes.webServer ?? new FollowingServer(places.certificates),
    state: new StateFile(join(places.state, 'renewal.json')),
    ledger: new Ledger(places.ledger, clock),
    clock,
    lockFile: join(places.state, 'locks/certificate'),
    random: () => 0.5,
  };
}

/** Serves what it read at its last reload, as nginx does. */
class FollowingServer implements WebServer {
  readonly #folder: string;
  #loaded: string | undefined;
  reloads = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async test(): Promise<ConfigTest> {
    return { ok: true };
  }

  async reload(): Promise<void> {
    this.reloads += 1;
    this.#loaded = await this.#read();
  }

  async served(): Promise<string | undefined> {
    return this.#loaded;
  }

  async #read(): Promise<string> {
    return readCertificate(await readFile(join(this.#folder, 'current/fullchain.pem'), 'utf8')).fingerprint;
  }
}
