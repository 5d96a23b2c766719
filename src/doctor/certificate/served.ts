import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type ServedChain, servedChain } from '../../certificates/served-chain.ts';
import { servedFaults } from '../../certificates/verify.ts';
import { span } from '../../certificates/words.ts';
import { trustFor } from '../../registry/trust.ts';
import { certificateNames, type Settings } from '../../settings/settings.ts';
import { nginxAddress } from '../../stack/nginx.ts';
import { type Check, SOON } from '../check.ts';
import type { Context } from '../context.ts';
import { broken, type Finding, fine, skipped, together, unknown, warning } from '../finding.ts';
import { plainly } from '../words.ts';

const HANDSHAKE_WITHIN = 5_000;

/** What one address shows for one name. */
export interface ServedFacts {
  readonly name: string;
  readonly address: string;
  readonly served: ServedChain;
  /** SHA-256 of the certificate on the disk; `undefined`: a proxy in front shows one of its own. */
  readonly onDisk: string | undefined;
  /** Whether clients know its issuer without being told. A CA for rehearsals is known to nobody. */
  readonly trusted: boolean;
  readonly now: Date;
}

export const servedCheck: Check<Context> = {
  name: 'served',
  group: 'Certificate',
  within: SOON, // all handshakes at the same time
  run: async (context) => {
    const { settings } = context;
    if (settings.issuer === 'none' && settings.trustedProxies.length === 0)
      return skipped('no TLS is wanted');
    const current = await context.renewal.store.current();
    if (current.kind !== 'present' && settings.issuer !== 'none')
      return broken('there is no certificate to serve', 'npm run init-tls');
    const certificate = current.kind === 'present' ? current.generation.certificate : undefined;
    const ours = settings.issuer === 'none' || certificate === undefined ? undefined : certificate;
    const trust =
      ours === undefined ? { kind: 'system' as const } : await trustFor(context.paths, settings, ours);
    const authority = trust.kind === 'authority' ? trust.pem : undefined;
    const asked = (await places(settings)).map(async ({ name, address, port }): Promise<ServedFacts> => {
      const target = { host: address, port, servername: name, timeout: HANDSHAKE_WITHIN };
      const served = await servedChain(target, authority);
      const trusted = trust.kind !== 'certificate';
      return { name, address, served, onDisk: ours?.fingerprint, trusted, now: context.clock.now() };
    });
    const findings = (await Promise.all(asked)).map(judgeServed);
    return together(findings, unknown('the names lead to no address'));
  },
};

export function judgeServed({ name, address, served, onDisk, trusted, now }: ServedFacts): Finding {
  const at = `${name} at ${address}`;
  if (served.kind === 'failed')
    return broken(`${at}: no handshake: ${plainly(served.reason)}`, 'docker compose logs nginx');
  const { chain, distrust } = served;
  const [leaf] = chain;
  const whose = `${issuerOf(leaf.issuer)}, until ${new Date(leaf.validTo).toISOString().slice(0, 10)}`;
  const other = onDisk !== undefined && leaf.fingerprint256 !== onDisk;
  const faults = servedFaults(chain, [name], now);
  if (faults.length > 0)
    return broken(
      `${at}: ${faults.join('; ')} (${whose})`,
      other ? somebodyElse(address) : onDisk === undefined ? OF_PROXY : 'npm run renew',
    );
  if (other)
    return broken(`${at}: another certificate than the one on the disk (${whose})`, somebodyElse(address));
  if (distrust !== undefined && trusted) {
    const told = `${at}: clients refuse it: ${inWords(distrust)}`;
    return onDisk === undefined ? warning(told, OF_PROXY) : broken(told, 'npm run renew -- --force');
  }
  const left = new Date(leaf.validTo).getTime() - now.getTime();
  return fine(
    `${chain.length === 1 ? 'one certificate' : `${chain.length} certificates in order`}, ${span(left)} left`,
  );
}

const OF_PROXY = 'It is shown by the proxy in front: give that one a full chain that clients trust.';

function somebodyElse(address: string): string {
  return `Find out who answers at ${address}. If it is this machine: docker compose exec nginx nginx -s reload`;
}

/** OpenSSL's words, for those that people meet (openssl-verification-options(1)). */
export function inWords(distrust: string): string {
  if (/UNABLE_TO_VERIFY_LEAF_SIGNATURE|unable to verify the first/.test(distrust))
    return 'the intermediate certificate is missing, or its CA is unknown';
  if (/SELF_SIGNED|self-signed/.test(distrust)) return 'it is self-signed, or its CA is a private one';
  return distrust;
}

/** Each name at each address that it leads to from here; where it leads nowhere, at nginx itself. */
async function places(settings: Settings): Promise<{ name: string; address: string; port: number }[]> {
  const own = nginxAddress(settings);
  const names = settings.issuer === 'none' ? settings.names : certificateNames(settings);
  const found = names.map(async (name) => {
    const addresses = isIP(name) === 0 ? await addressesOf(name) : [name];
    // A name for this machine alone leads to all of its loopback, whatever BIND_ADDRESS is.
    const bound = addresses.filter((address) => isBound(settings.bindAddress, address));
    const port = settings.httpsPort;
    return bound.length === 0
      ? [{ name, address: own.host, port: own.port }]
      : bound.map((address) => ({ name, address, port }));
  });
  return (await Promise.all(found)).flat();
}

/** `localhost` is 127.0.0.1 and ::1, and whoever binds one of them means it. */
function isBound(bindAddress: string | undefined, address: string): boolean {
  const loopback = ['127.0.0.1', '::1'];
  if (bindAddress === undefined || !loopback.includes(address)) return true;
  return address === bindAddress || bindAddress === '0.0.0.0' || bindAddress === '::';
}

async function addressesOf(name: string): Promise<string[]> {
  const found = await lookup(name, { all: true }).catch(() => []);
  return [...new Set(found.map(({ address }) => address))];
}

function issuerOf(distinguishedName: string): string {
  const found = /^(?:CN|O)=(.+)$/m.exec(distinguishedName)?.[1];
  return `by ${found ?? 'an unknown issuer'}`;
}
