import { lookup } from 'node:dns/promises';
import { Failure } from '../errors.ts';
import { isPrivateName } from '../settings/names.ts';
import type { Settings } from '../settings/settings.ts';
import { type Bucket, isLoopback } from '../settings/storage.ts';

export type Lookup = (host: string) => Promise<readonly string[]>;

export const systemLookup: Lookup = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

/**
 * Whether everybody who has to reach the endpoint can: the registry, from its container, and clients where they are
 * sent there. What a name is looked up as is known only now; addresses are judged with the settings.
 * @throws Failure `s3-loopback`, `s3-redirect-private`
 */
export async function expectReachableEndpoint(
  { endpoint, redirect }: Pick<Bucket, 'endpoint' | 'redirect'>,
  { domain }: Pick<Settings, 'domain'>,
  find: Lookup,
): Promise<void> {
  if (endpoint === undefined) return;
  const { host } = endpoint;
  const addresses = await find(host).catch(() => []); // whether it exists the check of the bucket tells
  const local = addresses.find(isLoopback);
  if (local !== undefined)
    throw new Failure(
      's3-loopback',
      `${host} in S3_ENDPOINT is ${local} here, this machine alone, and the registry asks from a container, where that is the container.`,
      'Let the server listen on an address of this machine, and have the name lead there, or name the address.',
    );
  if (!redirect || isPrivateName(domain)) return;
  const inner = addresses.find(isPrivateName);
  if (inner === undefined) return;
  throw new Failure(
    's3-redirect-private',
    `S3_REDIRECT=true sends clients of ${domain} to ${host}, which is ${inner}: only your own network reaches that.`,
    'Set S3_REDIRECT=false, or name an endpoint that all clients reach.',
  );
}
