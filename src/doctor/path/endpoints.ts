import { connect } from 'node:net';
import { servedFingerprint } from '../../certificates/handshake.ts';
import { servedChain } from '../../certificates/served-chain.ts';
import type { Endpoint, Trust } from '../../registry/client.ts';
import { trustFor } from '../../registry/trust.ts';
import { registryUrl } from '../../settings/settings.ts';
import { httpAddress, nginxAddress } from '../../stack/nginx.ts';
import type { Context } from '../context.ts';

const CONNECT_WITHIN = 5_000;

/** How the registry is reached from here. */
export interface Endpoints {
  /** As a client does. */
  readonly outer: Endpoint;
  /** Moorage's own nginx, past whatever is in front of it. */
  readonly inner: Endpoint;
  /** Where clients go, as a URL. */
  readonly url: string;
  /** Why `outer` is not what a client elsewhere would take, if so. */
  readonly detour: string | undefined;
  /** Why a client would refuse the certificate; what follows is asked all the same. */
  readonly distrust: string | undefined;
}

export async function findEndpoints({ settings, renewal, paths }: Context): Promise<Endpoints> {
  const url = registryUrl(settings);
  const { domain: name, issuer, httpPort, httpsPort, trustedProxies } = settings;
  const tls = url.startsWith('https:');
  const port = tls ? httpsPort : httpPort;
  const current = await renewal.store.current();
  const certificate = current.kind === 'present' ? current.generation.certificate : undefined;
  const plain: Trust = { kind: 'plain' };
  const exactly = (fingerprint: string): Trust => ({ kind: 'certificate', fingerprint });

  const own = issuer === 'none' ? httpAddress(settings) : nginxAddress(settings);
  const innerTrust =
    issuer === 'none' || certificate === undefined ? plain : exactly(certificate.fingerprint);
  // The name stands in the Host header, and nginx answers to it on whichever port.
  const inner = { name, host: own.host, port: own.port, trust: innerTrust };

  const leads = await connects(name, port);
  const proxied = trustedProxies.length > 0;
  const host = leads || proxied ? name : own.host;
  const detour =
    leads || proxied ? undefined : `asked at ${own.host}, as ${name} does not lead here from this machine`;
  if (!tls) return { outer: { name, host, port, trust: plain }, inner, url, detour, distrust: undefined };

  const usual: Trust =
    issuer === 'none' || certificate === undefined
      ? { kind: 'system' }
      : await trustFor(paths, settings, certificate);
  const target = { host, port, servername: name, timeout: CONNECT_WITHIN };
  const authority = usual.kind === 'authority' ? usual.pem : undefined;
  const served = await servedChain(target, authority);
  if (served.kind === 'failed' || usual.kind === 'certificate')
    return { outer: { name, host, port, trust: usual }, inner, url, detour, distrust: undefined };
  const { distrust } = served;
  // Whoever shows it now is to be the one who is asked all along.
  const shown = await servedFingerprint(target);
  const pinned = shown.kind === 'shown' ? exactly(shown.fingerprint) : usual;
  const trust = distrust === undefined ? usual : pinned;
  return { outer: { name, host, port, trust }, inner, url, detour, distrust };
}

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const conclude = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.setTimeout(CONNECT_WITHIN, () => conclude(false));
    socket.once('connect', () => conclude(true));
    socket.once('error', () => conclude(false));
  });
}
