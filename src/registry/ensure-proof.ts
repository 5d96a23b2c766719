import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { PROVER } from '../access/prover.ts';
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
import { type Proof, proveRegistry, reachableHost } from './proof.ts';
import { trustFor } from './trust.ts';

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
  const file = join(paths.state, 'proof.json');
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

  const { host, port } =
    settings.issuer === 'none'
      ? httpAddress(settings)
      : await reachableHost(settings.domain, nginxAddress(settings), certificate.fingerprint);
  const trust = await trustFor(paths, settings, certificate);
  const endpoint = { name: settings.domain, port, host, trust };
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

function summarize({ by, digest }: Proof, detour: string | undefined): string {
  const short = digest.slice(0, 'sha256:'.length + 12);
  const client = by.client === 'docker' ? 'docker' : `HTTP (docker: ${by.because})`;
  const through =
    detour === undefined ? '' : `, at ${detour} because the name does not lead here from this machine`;
  return `pushed and pulled ${short} by ${client}${through}`;
}
