import { randomBytes } from 'node:crypto';
import { ImagePusher } from './pushed-images.ts';
import type { RegistryCalls } from './registry-calls.ts';

/** What was pushed, by what it is pulled by: `sha256:…` of each manifest, by tag or digest. */
export type Released = Readonly<Record<string, string>>;

/**
 * Pushes what a release has today: an index of images for two machines, an SBOM that refers to it (`subject`, and the
 * tag by which clients find it where a registry has no referrers API), and a signature as cosign tags it.
 */
export async function pushRelease(
  calls: RegistryCalls,
  { repository, tag, as }: { repository: string; tag: string; as: string },
  layerBytes = 2_000,
): Promise<Released> {
  const pusher = new ImagePusher(calls, as);
  const image = (reference?: string, about = {}) =>
    pusher.image(repository, reference, [randomBytes(layerBytes / 2).toString('hex')], about);

  const manifests = [];
  for (const architecture of ['amd64', 'arm64'])
    manifests.push({ ...(await image()), platform: { os: 'linux', architecture } });
  const index = await pusher.index(repository, tag, manifests);
  const name = index.digest.replace(':', '-');
  const sbom = await image(undefined, { subject: index, artifactType: 'application/spdx+json' });
  const referrers = await pusher.index(repository, name, [sbom]);
  const signature = await image(`${name}.sig`);
  const byDigest = [...manifests, sbom].map(({ digest }) => [digest, digest]);
  return {
    ...Object.fromEntries(byDigest),
    [tag]: index.digest,
    [name]: referrers.digest,
    [`${name}.sig`]: signature.digest,
  };
}
