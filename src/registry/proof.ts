import { randomBytes } from 'node:crypto';
import { PROOF_REPOSITORY } from '../access/prover.ts';
import { servedFingerprint } from '../certificates/handshake.ts';
import type { Engine } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import { Secret } from '../secret.ts';
import type { Bucket, Storage } from '../settings/storage.ts';
import type { Report } from '../step.ts';
import { originOf } from '../storage/bucket-client.ts';
import { fetchPresigned } from '../storage/presigned.ts';
import type { Clock } from '../system/clock.ts';
import type { Run } from '../system/processes.ts';
import { type Credentials, type Endpoint, RegistryClient } from './client.ts';
import { digestOf } from './digest.ts';
import { proveByDocker } from './docker-client.ts';
import { type Image, makeImage } from './image.ts';
import { statusOnceKnown } from './known.ts';

const NAME_TIMEOUT = 5_000;

export interface Proof {
  /** Who pushed and pulled: Docker's own client, or this program over HTTP because Docker was refused. */
  readonly by: { readonly client: 'docker' } | { readonly client: 'http'; readonly because: string };
  readonly digest: string;
}

/**
 * Shows that the registry works as a client sees it: a wrong password is refused, an image that was never anywhere
 * is pushed and pulled through the public URL and comes back with the same digest.
 * @throws Failure `proof-failed` and those of the registry client
 */
export async function proveRegistry(
  tools: { engine: Engine; run: Run; clock: Clock },
  subject: { endpoint: Endpoint; authority: string; credentials: Credentials; storage: Storage },
  report: Report,
): Promise<Proof> {
  const { endpoint, authority, credentials, storage } = subject;
  const redirecting = storage.kind === 's3' && storage.redirect ? storage : undefined;
  const client = new RegistryClient(endpoint, credentials);
  await expectLetIn(client, tools.clock);
  report('a wrong password must be refused');
  const wrong = new Secret(randomBytes(16).toString('hex'));
  await expectStatus(
    401,
    new RegistryClient(endpoint, { ...credentials, password: wrong }),
    'a wrong password',
  );
  await expectStatus(401, new RegistryClient(endpoint), 'no password');

  const image = await makeImage(`Moorage was here: ${randomBytes(16).toString('hex')}\n`);
  report('pushing and pulling with docker');
  const byDocker = await proveByDocker(
    tools,
    { authority, repository: PROOF_REPOSITORY, credentials },
    image,
  );
  if ('refused' in byDocker) {
    report('pushing and pulling over HTTP');
    const digest = await proveByHttp(client, image, redirecting);
    return { by: { client: 'http', because: byDocker.refused }, digest };
  }
  const stored = await client.pullManifest(PROOF_REPOSITORY, byDocker.digest);
  if (stored !== byDocker.digest) throw mismatch(byDocker.digest, stored);
  if (redirecting !== undefined) {
    await client.pushBlob(PROOF_REPOSITORY, image.layer); // docker packs layers its own way
    await expectRedirect(client, image.layer.digest, redirecting);
  }
  await client.deleteManifest(PROOF_REPOSITORY, stored);
  return { by: { client: 'docker' }, digest: stored };
}

/**
 * The address to connect to for `name`: where the name leads, if our certificate is shown there; else this machine
 * itself. A name need not be known here, and a router may not lead its own address back.
 * @param isOurs whether somebody who shows our certificate is this machine: a registry that moved here has left the
 *   same one behind
 */
export async function reachableHost(
  name: string,
  local: Address,
  fingerprint: string,
  isOurs: (at: Address) => Promise<boolean>,
): Promise<Address> {
  const shown = await servedFingerprint({
    host: name,
    port: local.port,
    servername: name,
    timeout: NAME_TIMEOUT,
  });
  const there = { host: name, port: local.port };
  const ours = shown.kind === 'shown' && shown.fingerprint === fingerprint && (await isOurs(there));
  return ours ? there : local;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

async function proveByHttp(
  client: RegistryClient,
  image: Image,
  redirecting: Bucket | undefined,
): Promise<string> {
  const pull = (blob: string) =>
    redirecting === undefined
      ? client.pullBlob(PROOF_REPOSITORY, blob)
      : expectRedirect(client, blob, redirecting);
  for (const blob of [image.config, image.layer]) await client.pushBlob(PROOF_REPOSITORY, blob);
  const { digest } = image.manifest;
  const stored = await client.pushManifest(PROOF_REPOSITORY, 'proof', image.manifest);
  if (stored !== digest) throw mismatch(digest, stored);
  const pulled = [
    [digest, await client.pullManifest(PROOF_REPOSITORY, 'proof')],
    [image.config.digest, await pull(image.config.digest)],
    [image.layer.digest, await pull(image.layer.digest)],
  ] as const;
  for (const [pushed, came] of pulled) if (pushed !== came) throw mismatch(pushed, came);
  await client.deleteManifest(PROOF_REPOSITORY, digest);
  return digest;
}

/** Follows the registry's answer to the bucket, as clients do. The digest of what came. */
async function expectRedirect(client: RegistryClient, digest: string, bucket: Bucket): Promise<string> {
  const location = await client.blobLocation(PROOF_REPOSITORY, digest);
  const came = location === undefined ? undefined : digestOf(await fetchPresigned(location, bucket));
  if (came === digest) return digest;
  if (came !== undefined) throw mismatch(digest, came);
  throw new Failure(
    'proof-failed',
    `The registry serves blobs itself and sends nobody to ${originOf(bucket)}, though S3_REDIRECT=true.`,
    'Look into the logs: docker compose logs registry',
  );
}

/** The user was made just now. */
export async function expectLetIn(client: RegistryClient, clock: Clock): Promise<void> {
  const answer = await statusOnceKnown(clock, client);
  if (answer !== 200) throw unlike(200, answer, 'the right password');
}

async function expectStatus(status: number, client: RegistryClient, who: string): Promise<void> {
  const answer = await client.check();
  if (answer !== status) throw unlike(status, answer, who);
}

function unlike(status: number, answer: number, who: string): Failure {
  return new Failure(
    'proof-failed',
    `The registry answered ${answer} to ${who}; it should have been ${status}.`,
    'Look into the logs: docker compose logs registry gate nginx',
  );
}

function mismatch(pushed: string, pulled: string): Failure {
  return new Failure(
    'proof-failed',
    `The image came back changed: pushed ${pushed}, pulled ${pulled}.`,
    'Check the disk under REGISTRY_DATA_DIR and the proxies in front of this machine.',
  );
}
