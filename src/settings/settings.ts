import type { Reserve } from '../low-water.ts';
import type { Secret } from '../secret.ts';
import type { MailServer, WebhookTarget } from './alert-targets.ts';
import type { BackupTarget } from './backup-target.ts';
import type { Directory } from './directories.ts';
import type { ForwardProxies } from './forward-proxy.ts';
import type { Mirror } from './mirror.ts';
import { bracketed } from './names.ts';
import type { ProvidedFiles } from './provided-folder.ts';
import type { Cache, Storage } from './storage.ts';

/** What the person wants, validated and complete. */
export interface Settings {
  /** The name clients use; the first of `names`. */
  readonly domain: string;
  /** All names of the registry: DOMAIN, then EXTRA_DOMAINS, each once. */
  readonly names: readonly string[];
  readonly email: string | undefined;
  readonly issuer: IssuerName;
  readonly directory: Directory;
  readonly fallbackDirectory: Directory | undefined;
  readonly profile: string | undefined;
  readonly externalAccount: { readonly kid: string; readonly hmacKey: string } | undefined;
  readonly challenge: 'http-01' | 'dns-01';
  /** Absolute paths. */
  readonly dnsHook: { readonly program: string; readonly envFile: string | undefined } | undefined;
  readonly provided: ProvidedFiles | undefined;
  readonly alerts: AlertTargets;
  /** Absolute path of the PEM file that the ACME server itself is trusted by. */
  readonly acmeTrust: string | undefined;
  /** `undefined` is every address of the machine. */
  readonly bindAddress: string | undefined;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** The proxies whose word about the client's address is believed: addresses and networks. None: nobody's. */
  readonly trustedProxies: readonly string[];
  /** Who checks passwords and rights. `ttl`: seconds that the gate remembers a verified password. */
  readonly auth: { readonly by: 'gate' | 'registry'; readonly ttl: number };
  /** Who sends blobs and manifests; see `servesBlobs`. */
  readonly blobsBy: 'nginx' | 'registry';
  readonly images: 'auto' | 'pull' | 'build' | 'load';
  /** Absolute path of the archive that images are loaded from. */
  readonly imagesFile: string;
  /** References as set by the person; `undefined` leaves the choice to Moorage. */
  readonly chosenImages: Partial<Record<ImageRole, string>>;
  /** References of images that were built here earlier, or loaded, and are not the pinned ones. */
  readonly builtImages: Partial<Record<ImageRole, string>>;
  readonly storage: Storage;
  readonly cache: Cache;
  /** Absolute path. */
  readonly registryDataDirectory: string;
  /** What is to stay free on its disk. Only the gate sees to it. */
  readonly diskReserve: Reserve;
  /** `undefined`: there is none. */
  readonly mirror: Mirror | undefined;
  /** How this machine's engine, and what init-tls starts, get out. */
  readonly proxy: ForwardProxies;
  /** Prometheus and the exporter: where the first one is found on 127.0.0.1. `undefined`: neither runs. */
  readonly monitoring: { readonly port: number } | undefined;
  readonly backup: BackupSettings;
  readonly project: string;
  /** Whether the stack has a renewer; else something on the host runs the daemon. */
  readonly renewerContainer: boolean;
  /** Where nginx answers when it is not on this machine's own port: inside the stack, `nginx:443`. */
  readonly nginxAddress: { readonly host: string; readonly port: number } | undefined;
}

export type IssuerName = 'certbot' | 'acme' | 'local' | 'provided' | 'none';

export interface BackupSettings {
  readonly target: BackupTarget | undefined;
  /** `undefined`: none was made yet. */
  readonly password: Secret | undefined;
  /** For a bucket. `undefined` leaves them to what restic finds by itself. */
  readonly keys: { readonly id: string; readonly secret: Secret } | undefined;
}

export interface AlertTargets {
  readonly webhook: WebhookTarget | undefined;
  readonly mail:
    | { readonly server: MailServer; readonly from: string | undefined; readonly to: readonly string[] }
    | undefined;
}

export type ImageRole = 'registry' | 'nginx' | 'certbot' | 'node' | 'redis' | 'prometheus';

/** The programs of our own that run in containers. */
export type Program = 'renewer' | 'gate' | 'relay' | 'exporter';

/** What an address that clients use is made of. */
export type Front = Pick<Settings, 'domain' | 'httpPort' | 'httpsPort' | 'issuer' | 'trustedProxies'>;

/** Whether clients speak TLS: with nginx, or with the proxy before it, which then has HTTPS_PORT. */
function clientsSpeakTls({ issuer, trustedProxies }: Pick<Front, 'issuer' | 'trustedProxies'>): boolean {
  return issuer !== 'none' || trustedProxies.length > 0;
}

/** `registry.example.com`, with the port where it is not the usual one: what stands before the `/` of an image name. */
export function registryAuthority(front: Front): string {
  const { domain, httpPort, httpsPort } = front;
  const host = bracketed(domain);
  const [port, usual] = clientsSpeakTls(front) ? [httpsPort, 443] : [httpPort, 80];
  return port === usual ? host : `${host}:${port}`;
}

/** What stands before the `/` of the name of an image at the mirror. */
export function mirrorAuthority({ domain, port }: Pick<Mirror, 'domain' | 'port'>, front: Front): string {
  if (domain !== undefined) return registryAuthority({ ...front, domain });
  return `${bracketed(front.domain)}:${port}`;
}

/** What people type into a browser. */
export function registryUrl(settings: Front): string {
  return `${clientsSpeakTls(settings) ? 'https' : 'http'}://${registryAuthority(settings)}`;
}

/**
 * Whether nginx and the gate send what they find on the registry's disk by themselves. Without the gate nobody could say
 * to whom.
 */
export function servesBlobs({
  auth,
  storage,
  blobsBy,
}: Pick<Settings, 'auth' | 'storage' | 'blobsBy'>): boolean {
  return blobsBy === 'nginx' && auth.by === 'gate' && storage.kind === 'filesystem';
}

/** The names that go into the certificate. Whoever says `localhost` also means the loopback addresses. */
export function certificateNames(
  settings: Pick<Settings, 'names' | 'issuer'> & { readonly mirror?: Pick<Mirror, 'domain'> | undefined },
): readonly string[] {
  const { domain } = settings.mirror ?? {};
  const names = domain === undefined ? settings.names : [...settings.names, domain];
  if (settings.issuer !== 'local' || !names.includes('localhost')) return names;
  return [...new Set([...names, '127.0.0.1', '::1'])];
}
