import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';
import { parseChain } from '../../certificates/certificate.ts';
import { socketOf } from '../../engine/address.ts';
import { messageOf } from '../../errors.ts';
import { authorityFile } from '../../issuers/local.ts';
import { registryAuthority } from '../../settings/settings.ts';
import { isLoopback } from '../../settings/storage.ts';
import { readIfExists } from '../../system/files.ts';
import { type Check, SOON } from '../check.ts';
import type { Context } from '../context.ts';
import { broken, type Finding, fine, skipped, warning } from '../finding.ts';

/** Where Docker looks for the CA of one registry, and where Debian keeps those of the system. */
const DOCKER_TRUST = '/etc/docker/certs.d';
const SYSTEM_TRUST = '/etc/ssl/certs/ca-certificates.crt';

export interface TrustFacts {
  /** `localhost:8443` */
  readonly authority: string;
  readonly loopback: boolean;
  /** PEM of the local CA, and of what Docker and the system trust here. */
  readonly ca: string;
  readonly docker: string | undefined;
  readonly system: string;
}

export const trustCheck: Check<Context> = {
  name: 'trust',
  group: 'Certificate',
  within: SOON,
  run: async ({ settings, paths, environment }) => {
    if (settings.issuer !== 'local')
      return skipped('clients know the CA, or are told by whoever provides it');
    if (socketOf(environment.DOCKER_HOST) === undefined) return skipped('the engine is another machine’s');
    const authority = registryAuthority(settings);
    const ca = await readFile(authorityFile(paths.localAuthority), 'utf8').catch(messageOf);
    const docker = await readIfExists(`${DOCKER_TRUST}/${authority}/ca.crt`);
    const system = (await readIfExists(SYSTEM_TRUST)) ?? rootCertificates.join('\n');
    return judgeTrust({ authority, loopback: isLoopback(settings.domain), ca, docker, system });
  },
};

export function judgeTrust({ authority, loopback, ca, docker, system }: TrustFacts): Finding {
  const print = fingerprint(ca);
  if (print === undefined)
    return broken(
      'var/ca/ca.crt can’t be read: nobody can be told to trust it',
      'Take var/ca from a backup.',
    );
  if (loopback) return fine(`Docker trusts ${authority} as it is`);
  const command = 'npm run trust';
  if (docker !== undefined) {
    if (prints(docker).includes(print)) return fine(`Docker here trusts the local CA`);
    return warning(`Docker here trusts another CA for ${authority}`, command);
  }
  if (prints(system).includes(print)) return fine('this machine trusts the local CA');
  return warning(
    `Docker on this machine does not trust the local CA for ${authority}`,
    `${command} (docs/trust.md)`,
  );
}

function fingerprint(pem: string): string | undefined {
  try {
    return new X509Certificate(pem).fingerprint256;
  } catch {
    return undefined;
  }
}

function prints(pem: string): string[] {
  try {
    return parseChain(pem).map(({ fingerprint256 }) => fingerprint256);
  } catch {
    return [];
  }
}
