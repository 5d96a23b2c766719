import { randomBytes } from 'node:crypto';
import { PROOF_REPOSITORY, PROVER } from '../access/prover.ts';
import type { Certificate } from '../certificates/certificate.ts';
import { Failure } from '../errors.ts';
import { RegistryClient } from '../registry/client.ts';
import { type DockerProof, proveByDocker } from '../registry/docker-client.ts';
import { endpointOf, type ProofParts } from '../registry/ensure-proof.ts';
import { makeImage } from '../registry/image.ts';
import { statusOnceKnown } from '../registry/known.ts';
import { registryAuthority } from '../settings/settings.ts';
import { type Done, type Report, unchanged } from '../step.ts';
import { type Clock, eventually } from '../system/clock.ts';
import { withTemporaryUser } from '../users/temporary-user.ts';
import { HOSTS_COUNT_WITHIN, isUnknownName } from './prove-pull.ts';

/**
 * Pushes an image to this checkout's registry by the engine of this machine and pulls it again, as a user that is gone
 * afterwards.
 * @throws Failure `trust-refused`, and those of the registry's client
 */
export async function proveOwn(parts: ProofParts, certificate: Certificate, report: Report): Promise<Done> {
  const { paths, settings, clock } = parts;
  const authority = registryAuthority(settings);
  return withTemporaryUser(paths.usersFile, PROVER, async (credentials) => {
    const endpoint = await endpointOf(parts, certificate, credentials);
    const client = new RegistryClient(endpoint, credentials);
    if ((await statusOnceKnown(clock, client)) !== 200)
      throw new Failure(
        'registry-silent',
        `The registry does not let in a user that was made for this proof.`,
        'Run `npm run doctor`.',
      );
    report('pushing and pulling with docker');
    const image = await makeImage(`trusted: ${randomBytes(16).toString('hex')}\n`);
    const subject = { authority, repository: PROOF_REPOSITORY, credentials };
    const attempt = () => proveByDocker(parts, subject, image);
    const proof = await onceNameKnown(clock, attempt);
    if ('refused' in proof)
      throw new Failure(
        'trust-refused',
        `The CA is in its place, but Docker on this machine can't get into ${authority}: ${proof.refused}`,
        'If no DNS knows the name here, add --hosts 127.0.0.1; if a proxy is in between, see docs/proxy.md.',
      );
    await client.deleteManifest(PROOF_REPOSITORY, proof.digest);
    return unchanged(`pushed and pulled ${proof.digest.slice(0, 'sha256:'.length + 12)} by docker`);
  });
}

/** The last answer, once the engine knows the name. */
async function onceNameKnown(clock: Clock, attempt: () => Promise<DockerProof>): Promise<DockerProof> {
  const known = (proof: DockerProof) => !('refused' in proof && isUnknownName(proof.refused));
  const waiting = { within: HOSTS_COUNT_WITHIN, every: 1_000 };
  const proof = await eventually(clock, waiting, async () => {
    const each = await attempt();
    return known(each) ? each : undefined;
  });
  return proof ?? attempt();
}
