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
import { type Credentials, type Endpoint, RegistryClient } from './client.ts';
import { type Address, expectLetIn, type Proof, proveRegistry, reachableHost } from './proof.ts';
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
    return unchanged(`${before.data.summary}, on ${before.data.at.slice(0, 10)}`);
  }

  const { proof, host } = await withTemporaryUser(paths.usersFile, PROVER, async (credentials) => {
    const endpoint = await endpointOf(parts, certificate, credentials);
    const { storage } = settings;
    const made = await proveRegistry(parts, { endpoint, authority, credentials, storage }, report);
    return { proof: made, host: endpoint.host };
  });
  const summary = summarize(
    proof,
    settings,
    settings.issuer === 'none' || host === settings.domain ? undefined : host,
  );
  const at = clock.now().toISOString();
  await writeAtomically(file, JSON.stringify({ subject: digest, summary, at }), 0o600);
  return changed(`${summary}${hint(proof, settings)}`);
}

/**
 * Where this machine's own client reaches the registry, and how it knows that it is the one.
 * @param credentials of a user that was made just now: another machine does not know it
 */
export async function endpointOf(
  { paths, settings, clock }: Pick<ProofParts, 'paths' | 'settings' | 'clock'>,
  certificate: Certificate,
  credentials?: Credentials,
): Promise<Endpoint> {
  const { domain: name, issuer } = settings;
  const trust = await trustFor(paths, settings, certificate);
  if (issuer === 'none') return { name, ...httpAddress(settings), trust };
  const local = nginxAddress(settings);
  const clientAt = (at: Address) => new RegistryClient({ name, ...at, trust }, credentials);
  const at = await reachableHost(name, local, certificate.fingerprint, async (there) => {
    if (credentials === undefined) return true;
    await expectLetIn(clientAt(local), clock);
    return (await clientAt(there).check()) === 200;
  });
  return { name, ...at, trust };
}

/** Has the next proof be made, whatever was proved before: under the same names there may be other images. */
export async function forgetProof({ state }: Pick<Paths, 'state'>): Promise<void> {
  await rm(join(state, PROOF_FILE), { force: true });
}

function summarize(
  { by, digest }: Proof,
  { issuer }: Pick<Settings, 'issuer'>,
  detour: string | undefined,
): string {
  const short = digest.slice(0, 'sha256:'.length + 12);
  const client = by.client === 'docker' ? 'docker' : `HTTP${why(by.because, issuer)}`;
  const through =
    detour === undefined ? '' : `, at ${detour} because the name does not lead here from this machine`;
  return `pushed and pulled ${short} by ${client}${through}`;
}

/** For now, and not kept: `npm run trust` may follow. */
function hint({ by }: Proof, { issuer }: Pick<Settings, 'issuer'>): string {
  if (by.client === 'docker' || !knowsNoCa(by.because, issuer)) return '';
  return '; Docker on this machine does not trust the CA yet: npm run trust';
}

/** That Docker does not know a CA of one's own is as usual as it is easily mended. */
function knowsNoCa(because: string, issuer: Settings['issuer']): boolean {
  return issuer === 'local' && /x509: certificate signed by unknown authority/.test(because);
}

function why(because: string, issuer: Settings['issuer']): string {
  if (knowsNoCa(because, issuer)) return '';
  if (/\blookup \S+.* no such host/.test(because)) return ' (Docker on this machine does not find the name)';
  return ` (docker: ${because})`;
}
