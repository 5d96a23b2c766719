import { copyFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readRenewalInfo } from '../acme/renewal-info.ts';
import { readCertificate } from '../certificates/certificate.ts';
import { nameDifference } from '../certificates/decide.ts';
import {
  IssuanceFailure,
  type Issued,
  type Issuer,
  type Order,
  type Origin,
  type SuggestedWindow,
} from '../certificates/issuer.ts';
import type { Ledger } from '../certificates/ledger.ts';
import type { Limits } from '../certificates/limits.ts';
import type { Pair } from '../certificates/verify.ts';
import type { ContainerFacts, Engine, Executed } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import type { Paths } from '../paths.ts';
import type { Directory } from '../settings/directories.ts';
import type { Report } from '../step.ts';
import type { Clock } from '../system/clock.ts';
import { ensureDirectory, writeAtomically } from '../system/files.ts';
import {
  type CertbotAccount,
  certbotArguments,
  directorySlug,
  INSIDE,
  iniFile,
  LINEAGE,
} from './certbot-command.ts';
import { nothingNew, refusal } from './certbot-output.ts';
import type { Doubts } from './doubts.ts';
import { archivedPairs, setDamagedAside } from './lineage.ts';
import { expectRightClock, expectWithinLimits } from './preflight.ts';
import { withDoubts } from './refusals.ts';
import type { Solver } from './solver.ts';
import { isFresh } from './takeover.ts';

export interface CertbotOptions extends CertbotAccount {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly paths: Paths;
  readonly project: string;
  readonly image: string;
  readonly directory: Directory;
  /** PEM file that the ACME server itself is trusted by. */
  readonly acmeTrust: string | undefined;
  /** `uid:gid` that owns what certbot writes. */
  readonly user: string;
  readonly ledger: Ledger;
  /** What the CA is known to allow; `undefined` for one without known limits. */
  readonly limits: Limits | undefined;
  /** The CA's clock, as far as it can be asked from here. */
  readonly clockOfCa: () => Promise<Date | undefined>;
  /** Looks for reasons after a refusal; only for CAs that see what the world sees. */
  readonly doubts: Doubts | undefined;
  /** Only asked whether challenges are served: certbot writes them itself. */
  readonly solver: Solver;
}

/**
 * Asks an ACME CA by certbot, in a container that lives as long as the request. Challenges are files in the webroot
 * that nginx serves (HTTP-01, RFC 8555 section 8.3). Each directory URL has a configuration folder of its own.
 */
export class CertbotIssuer implements Issuer {
  readonly origin: Origin;
  readonly #options: CertbotOptions;

  constructor(options: CertbotOptions) {
    this.#options = options;
    this.origin = { issuer: 'certbot', directory: options.directory.url };
  }

  async issue(order: Order, report: Report): Promise<Issued> {
    const { directory, ledger, solver, clock, clockOfCa } = this.#options;
    const { names } = order;
    const config = this.#configDirectory(directory.url);
    // It may be at the CA this moment, and what it is given lies in the archive when it ends.
    await this.#options.engine.containers.outlive(this.#containerName);
    const pairs = await archivedPairs(config, LINEAGE);
    // A run that was killed after the CA had issued left the certificate here: no second order for it.
    const found = newerThan(pairs, order.replaces?.fingerprint).find((pair) => this.#isWanted(pair, names));
    if (found !== undefined) {
      report("taking over the certificate in certbot's archive");
      return { ...found, origin: this.origin };
    }
    await solver.check?.(names[0] ?? '');
    if (order.rehearse === true) await this.#rehearseFirst(names, report);
    expectRightClock(clock.now(), await clockOfCa());
    await this.#expectWithinLimits(names);
    report(`asking ${new URL(directory.url).host}`);
    if (await setDamagedAside(config, LINEAGE, this.#options.clock.now()))
      report("certbot's configuration was damaged; it is set aside");
    await ledger.add({ event: 'order', directory: directory.url, names: [...names] });
    const result = await this.#run(directory.url, names, false, report);
    if (result.exitCode !== 0)
      throw await withDoubts(refusal(directory.url, names, result), this.#options.doubts, names);
    // The old one again would be due again at once, and certbot would be asked without a pause.
    const [newest] = newerThan(await archivedPairs(config, LINEAGE), order.replaces?.fingerprint);
    if (newest === undefined) throw nothingNew(config, result);
    const { fingerprint } = readCertificate(newest.chain);
    await ledger.add({ event: 'issued', directory: directory.url, names: [...names], fingerprint });
    return { ...newest, origin: this.origin };
  }

  async rehearse({ names }: Order, report: Report): Promise<string> {
    const { directory, engine, solver } = this.#options;
    await engine.containers.outlive(this.#containerName);
    await solver.check?.(names[0] ?? '');
    const staging = directory.rehearsal ?? directory.url;
    report(`rehearsing on ${new URL(staging).host}`);
    const result = await this.#run(staging, names, true, report);
    if (result.exitCode !== 0)
      throw await withDoubts(refusal(staging, names, result), this.#options.doubts, names);
    return `${new URL(staging).host} issued a certificate, and certbot threw it away`;
  }

  renewalInfo(chain: string): Promise<SuggestedWindow | undefined> {
    return readRenewalInfo(this.#options.directory.url, chain, this.#options.clock.now());
  }

  /**
   * The whole way on the CA's staging server first: a mistake there costs none of the real CA's few tries. One that is
   * down or has limits of its own must not stand in the way.
   */
  async #rehearseFirst(names: readonly string[], report: Report): Promise<void> {
    const { rehearsal } = this.#options.directory;
    if (rehearsal === undefined) return;
    try {
      await this.rehearse({ names, replaces: undefined }, report);
    } catch (error) {
      if (error instanceof IssuanceFailure && error.blame === 'validation') throw error.onStaging();
      report('the staging server does not play its part; going on without a rehearsal');
    }
  }

  async #run(
    directory: string,
    names: readonly string[],
    rehearsal: boolean,
    report: Report,
  ): Promise<Executed> {
    const { engine, project, image, acmeTrust, user, paths, email, profile } = this.#options;
    const nginx = await this.#nginx();
    const config = this.#configDirectory(directory);
    await ensureDirectory(config, 0o700);
    await writeAtomically(join(config, 'cli.ini'), iniFile(this.#options), 0o600);
    if (acmeTrust !== undefined) await copyFile(acmeTrust, join(config, 'acme-trust.pem'));
    const webroot = mountedAt(nginx, INSIDE.webroot, paths.challenges);
    return engine.containers.runOnce(
      {
        name: this.#containerName,
        image,
        args: certbotArguments({ directory, names, email, profile, rehearsal }),
        env: acmeTrust === undefined ? {} : { REQUESTS_CA_BUNDLE: INSIDE.trust },
        mounts: [
          {
            source: join(dirname(webroot), 'certbot', directorySlug({ url: directory })),
            target: INSIDE.config,
          },
          { source: webroot, target: INSIDE.webroot },
        ],
        network: nginx.networks.find((each) => each.endsWith('_frontend')) ?? 'bridge',
        user,
        labels: { 'moorage.project': project },
      },
      (line) => report(line),
    );
  }

  async #nginx(): Promise<ContainerFacts> {
    const { engine, project } = this.#options;
    const running = (await engine.containers.ofService(project, 'nginx')).find((each) => each.running);
    if (running !== undefined) return running;
    throw new Failure(
      'nginx-not-running',
      'certbot needs nginx to answer its challenges, and nginx does not run.',
      'Start it with `docker compose up -d`, then run this again.',
    );
  }

  get #containerName(): string {
    return `${this.#options.project}-certbot`;
  }

  #configDirectory(directory: string): string {
    return join(this.#options.paths.certbot, directorySlug({ url: directory }));
  }

  async #expectWithinLimits(names: readonly string[]): Promise<void> {
    const { ledger, directory, limits, clock } = this.#options;
    const account = { ledger, directory: directory.url, limits, now: clock.now() };
    await expectWithinLimits(account, names, false);
  }

  #isWanted(pair: Pair, names: readonly string[]): boolean {
    if (!isFresh(pair, names, this.#options.clock.now())) return false;
    return nameDifference(readCertificate(pair.chain).names, names) === undefined;
  }
}

/** Of pairs in the order of their age those that came after the one that is to be replaced; all, if it is not there. */
function newerThan(pairs: readonly Pair[], fingerprint: string | undefined): readonly Pair[] {
  const index = pairs.findIndex(({ chain }) => fingerprintOf(chain) === fingerprint);
  return index === -1 ? pairs : pairs.slice(0, index);
}

function fingerprintOf(chain: string): string | undefined {
  try {
    return readCertificate(chain).fingerprint;
  } catch {
    return undefined; // half a file of a run that was killed
  }
}

/** The folder as the engine's host knows it: this process may be in a container itself. */
function mountedAt(container: ContainerFacts, destination: string, otherwise: string): string {
  return container.mounts.find((mount) => mount.destination === destination)?.source ?? otherwise;
}
