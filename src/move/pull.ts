import { Failure, messageOf } from '../errors.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { type Credentials, type Endpoint, RegistryClient } from '../registry/client.ts';
import { onceKnown } from '../registry/known.ts';
import { changed, type Done, type Report } from '../step.ts';
import type { Clock } from '../system/clock.ts';
import type { Survey } from './survey.ts';

/** Images of so many repositories. */
const SAMPLES = 3;
const LARGEST = 16 * 1024 * 1024;

interface Sample {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  /** Small ones. */
  readonly blobs: readonly string[];
}

/**
 * Images to be pulled, of the repositories with the newest ones. Pure.
 * @param there what the other machine has: some may have been deleted since it was started
 */
export function chooseSamples({ repositories }: Inventory, there: Survey['repositories']): readonly Sample[] {
  const had = new Map(there.map(({ name, manifests }) => [name, new Set(manifests)]));
  const tagged = repositories.flatMap(({ name, tags, manifests }) => {
    const left = tags.filter(({ digest }) => had.get(name)?.has(digest));
    const newest = left.sort((one, other) => other.pushed.getTime() - one.pushed.getTime())[0];
    if (newest === undefined) return [];
    const blobs = manifests.get(newest.digest)?.blobs ?? [];
    const small = blobs.filter(({ bytes, foreign }) => bytes <= LARGEST && foreign !== true);
    const digests = small.slice(0, 2).map(({ digest }) => digest);
    const sample: Sample = { repository: name, tag: newest.name, digest: newest.digest, blobs: digests };
    return manifests.has(newest.digest) ? [{ sample, pushed: newest.pushed }] : [];
  });
  return tagged
    .sort((one, other) => other.pushed.getTime() - one.pushed.getTime())
    .slice(0, SAMPLES)
    .map(({ sample }) => sample);
}

/**
 * Pulls images from the other machine as a client would, by its own address as the name does not lead there yet. That it
 * can't be reached from here need not mean that clients can't: it has proved itself there.
 * @throws Failure `images-lost`
 */
export async function pullSamples(
  endpoint: Endpoint,
  credentials: Credentials,
  samples: readonly Sample[],
  clock: Clock,
  report: Report,
): Promise<Done> {
  const client = new RegistryClient(endpoint, credentials);
  const place = `${endpoint.host}:${endpoint.port}`;
  const ask = () => client.check().then(String, messageOf);
  const answer = await onceKnown(clock, ask, (status) => status === '200');
  if (answer !== '200')
    return changed(
      `NOT PROVED: ${place} does not serve this machine (${answer}). Check that clients can reach it`,
    );
  for (const { repository, tag, digest, blobs } of samples) {
    report(`${repository}:${tag}`);
    // By its digest: somebody may have pushed to the tag there by now.
    expectSame(`${repository}:${tag}`, digest, await client.pullManifest(repository, digest));
    for (const blob of blobs)
      if ((await client.blobLocation(repository, blob)) === undefined)
        expectSame(`${repository}@${blob}`, blob, await client.pullBlob(repository, blob));
  }
  const names = samples.map(({ repository, tag }) => `${repository}:${tag}`).join(', ');
  return changed(names === '' ? `${place} answers; there are no images` : `${names} from ${place}`);
}

function expectSame(what: string, wanted: string, came: string): void {
  if (came === wanted) return;
  throw new Failure(
    'images-lost',
    `${what} comes from the other machine as ${came} and not as ${wanted}.`,
    'Nothing is lost here. To have this registry back: npm run move-to -- --cancel',
  );
}
