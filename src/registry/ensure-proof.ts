import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PROVER } from '../access/prover.ts';
import type { Certificate } from '../certificates/certificate.ts';
import type { Generation } from '../certificates/store.ts';
import type { Engine } from '../engine/engine.ts';
import type { ImageNames } from '../images/ensure.ts';
import type { Paths } from '../paths.ts';
import { registryAuthority, type Settings, servesBlobs } from '../settings/settings.ts';
import { httpAddress, nginxAddress } from '../stack/nginx.ts';
import { changed, type Done, type Report, unchanged } from '../step.ts';
import type { Clock } from '../system/clock.ts';
import { readIfExists, writeAtomically } from '../system/files.ts';
import type { Run } from '../system/processes.ts';
import { withTemporaryUser } from '../users/temporary-user.ts';
import type { Endpoint } from './client.ts';
import { type Proof, proveRegistry, reachableHost } from './proof.ts';
import { trustFor } from './trust.ts';

const PROOF_FILE = 'proof.json';

const record = z.object({ subject: z.string(), summary: z.string(), at: z.string() });

/** What a proof is about: when any of it changes, the old proof says nothing. */
export interface ProofSubject {
  readonly current: Generation;
  readonly images: ImageNames;
}

export interface ProofParts {
  readonly engine: Engine;
  readonly run: Run;
  readonly clock: Clock;
  readonly paths: Paths;
  readonly settings: Settings;
}

/** Proves the registry with a push and a pull, unless this very registry was proved before. */
export async function ensureProof(parts: ProofParts, subject: ProofSubject, report: Report): Promise<Done> {
  const { paths, settings, clock } = parts;
  const { certificate } = subject.current;
  const file = join(paths.state, PROOF_FILE);
  const authority = registryAuthority(settings);
  const { renewer: _, relay: __, ...images } = subject.images; // they are not on the way of a push or a pull
  const digest = createHash('sha256')
    .update(
      JSON.stringify([
        settings.issuer === 'none',
        settings.auth.by,
        servesBlobs(settings),
        authority,
        certificate.fingerprint,
        images,
        settings.storage,
        settings.cache,
      ]),
    )
    .digest('hex');
  const before = record.safeParse(JSON.parse((await readIfExists(file)) ?? '{}'));
  if (before.success && before.data.subject === digest) {
    return unchanged(`${before.data.summary} on ${before.data.at.slice(0, 10)}`);
  }

  const endpoint = await endpointOf(parts, certificate);
  const { host } = endpoint;
  const proof = await withTemporaryUser(paths.usersFile, PROVER, ({ user, password }) =>
    proveRegistry(
      parts,
      { endpoint, authority, credentials: { user, password }, storage: settings.storage },
      report,
    ),
  );
  const summary = summarize(proof, settings.issuer === 'none' || host === settings.domain ? undefined : host);
  const at = clock.now().toISOString();
  await writeAtomically(file, JSON.stringify({ subject: digest, summary, at }), 0o600);
  return changed(summary);
}

/** Where this machine's own client reaches the registry, and how it knows that it is the one. */
export async function endpointOf(
  { paths, settings }: Pick<ProofParts, 'paths' | 'settings'>,
  certificate: Certificate,
): Promise<Endpoint> {
  const { host, port } =
    settings.issuer === 'none'
      ? httpAddress(settings)
      : await reachableHost(settings.domain, nginxAddress(settings), certificate.fingerprint);
  return { name: settings.domain, port, host, trust: await trustFor(paths, settings, certificate) };
}

/** Has the next proof be made, whatever was proved before: under the same names there may be other images. */
export async function forgetProof({ state }: Pick<Paths, 'state'>): Promise<void> {
  await rm(join(state, PROOF_FILE), { force: true });
}

function summarize({ by, digest }: Proof, detour: string | undefined): string {
  const short = digest.slice(0, 'sha256:'.length + 12);
  const client = by.client === 'docker' ? 'docker' : `HTTP (docker: ${by.because})`;
  const through =
    detour === undefined ? '' : `, at ${detour} because the name does not lead here from this machine`;
  return `pushed and pulled ${short} by ${client}${through}`;
}
