import { copyFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readCertificate } from '../certificates/certificate.ts';
import { dueAt, nameDifference } from '../certificates/decide.ts';
import type { Issued, Issuer, Order, Origin } from '../certificates/issuer.ts';
import { verifyPair } from '../certificates/verify.ts';
import type { ContainerFacts, Engine, Executed } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import type { Paths } from '../paths.ts';
import type { Directory } from '../settings/directories.ts';
import type { Report } from '../step.ts';
import type { Clock } from '../system/clock.ts';
import { ensureDirectory } from '../system/files.ts';
import { certbotArguments, certbotComplaint, directorySlug, INSIDE, LINEAGE } from './certbot-command.ts';
import { archivedPairs, type Pair } from './lineage.ts';

export interface CertbotOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly paths: Paths;
  readonly project: string;
  readonly image: string;
  readonly directory: Directory;
  readonly email: string | undefined;
  /** PEM file that the ACME server itself is trusted by. */
  readonly acmeTrust: string | undefined;
  /** `uid:gid` that owns what certbot writes. */
  readonly user: string;
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

  async issue({ names, replaces }: Order, report: Report): Promise<Issued> {
    const { directory } = this.#options;
    const config = this.#configDirectory(directory.url);
    const pairs = await archivedPairs(config, LINEAGE);
    // A run that was killed after the CA had issued left the certificate here: no second order for it.
    const found = pairs.find((pair) => this.#usable(pair, names, replaces));
    if (found !== undefined) {
      report("taking over the certificate in certbot's archive");
      return { ...found, origin: this.origin };
    }
    if (directory.rehearsal !== undefined && pairs.length === 0)
      await this.#rehearse(directory.rehearsal, names, report);
    report(`asking ${new URL(directory.url).host}`);
    const result = await this.#run(directory.url, names, false, report);
    if (result.exitCode !== 0) throw refusal(directory.url, names, result);
    const [newest] = await archivedPairs(config, LINEAGE);
    if (newest === undefined) throw refusal(directory.url, names, result);
    return { ...newest, origin: this.origin };
  }

  /** The whole way on the CA's staging server first: a mistake there costs none of the real CA's few tries. */
  async #rehearse(directory: string, names: readonly string[], report: Report): Promise<void> {
    report(`rehearsing on ${new URL(directory).host}`);
    const result = await this.#run(directory, names, true, report);
    if (result.exitCode === 0) return;
    if (certbotComplaint(result.output).refused) throw refusal(directory, names, result);
    report('the staging server does not answer; going on without a rehearsal');
  }

  async #run(
    directory: string,
    names: readonly string[],
    rehearsal: boolean,
    report: Report,
  ): Promise<Executed> {
    const { engine, project, image, email, acmeTrust, user, paths } = this.#options;
    const nginx = await this.#nginx();
    const slug = directorySlug({ url: directory });
    const config = this.#configDirectory(directory);
    await ensureDirectory(config, 0o700);
    if (acmeTrust !== undefined) await copyFile(acmeTrust, join(config, 'acme-trust.pem'));
    const webroot = mountedAt(nginx, INSIDE.webroot, paths.challenges);
    return engine.containers.runOnce(
      {
        name: `${project}-certbot`,
        image,
        args: certbotArguments({ directory, names, email, rehearsal }),
        env: acmeTrust === undefined ? {} : { REQUESTS_CA_BUNDLE: INSIDE.trust },
        mounts: [
          { source: join(dirname(webroot), 'certbot', slug), target: INSIDE.config },
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

  #configDirectory(directory: string): string {
    return join(this.#options.paths.certbot, directorySlug({ url: directory }));
  }

  #usable(pair: Pair, names: readonly string[], replaces: string | undefined): boolean {
    const now = this.#options.clock.now();
    try {
      verifyPair(pair, names, now);
    } catch {
      return false;
    }
    const certificate = readCertificate(pair.chain);
    const exact = nameDifference(certificate.names, names) === undefined;
    return exact && dueAt(certificate) > now && certificate.fingerprint !== replaces;
  }
}

/** The folder as the engine's host knows it: this process may be in a container itself. */
function mountedAt(container: ContainerFacts, destination: string, otherwise: string): string {
  return container.mounts.find((mount) => mount.destination === destination)?.source ?? otherwise;
}

function refusal(directory: string, names: readonly string[], { exitCode, output }: Executed): Failure {
  const { refused, lines } = certbotComplaint(output);
  const host = new URL(directory).host;
  const what = refused
    ? `${host} refused a certificate for ${names.join(', ')}`
    : `${host} could not be asked`;
  return new Failure(
    refused ? 'issuance-refused' : 'issuance-failed',
    `${what} (certbot ended with ${exitCode}):\n${lines}`,
    refused
      ? 'Check that the name leads to this machine (A and AAAA) and that port 80 is open, then run this again.'
      : 'Check ACME_DIRECTORY, ACME_CA_BUNDLE and the network, then run this again.',
  );
}
