import { randomBytes } from 'node:crypto';
import { digestOf } from '../../src/registry/digest.ts';
import { MANIFEST_TYPE } from '../../src/registry/image.ts';
import type { RegistryCalls } from './registry-calls.ts';

const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

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
  const released: Record<string, string> = {};
  const blob = async (mediaType: string, content: string): Promise<Descriptor> => {
    const digest = await calls.pushBlob(repository, content, as);
    return { mediaType, digest, size: Buffer.byteLength(content) };
  };
  const manifest = async (mediaType: string, fields: object, reference?: string): Promise<Descriptor> => {
    const body = JSON.stringify({ schemaVersion: 2, mediaType, ...fields });
    const digest = digestOf(Buffer.from(body));
    const path = `/v2/${repository}/manifests/${reference ?? digest}`;
    const { status, text } = await calls.ask('PUT', path, {
      as,
      body,
      headers: { 'content-type': mediaType },
    });
    if (status !== 201) throw new Error(`${path} was answered with ${status}: ${text}`);
    released[reference ?? digest] = digest;
    return { mediaType, digest, size: body.length };
  };
  const image = async (fields: object = {}, reference?: string) => {
    const random = randomBytes(layerBytes / 2).toString('hex');
    const config = await blob(CONFIG_TYPE, JSON.stringify({ random: random.slice(0, 32) }));
    return manifest(
      MANIFEST_TYPE,
      { config, layers: [await blob(LAYER_TYPE, random)], ...fields },
      reference,
    );
  };

  const manifests = [];
  for (const architecture of ['amd64', 'arm64'])
    manifests.push({ ...(await image()), platform: { os: 'linux', architecture } });
  const index = await manifest(INDEX_TYPE, { manifests }, tag);
  const name = index.digest.replace(':', '-');
  const sbom = await image({ subject: index, artifactType: 'application/spdx+json' });
  await manifest(INDEX_TYPE, { manifests: [sbom] }, name);
  await image({}, `${name}.sig`);
  return released;
}
