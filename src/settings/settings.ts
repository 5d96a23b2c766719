import type { Directory } from './directories.ts';

/** What the person wants, validated and complete. */
export interface Settings {
  /** The name clients use; the first of `names`. */
  readonly domain: string;
  /** All names of the registry: DOMAIN, then EXTRA_DOMAINS, each once. */
  readonly names: readonly string[];
  readonly email: string | undefined;
  readonly issuer: 'certbot' | 'local';
  readonly directory: Directory;
  /** Absolute path of the PEM file that the ACME server itself is trusted by. */
  readonly acmeTrust: string | undefined;
  /** `undefined` is every address of the machine. */
  readonly bindAddress: string | undefined;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly images: 'auto' | 'pull' | 'build';
  /** References as set by the person; `undefined` leaves the choice to Moorage. */
  readonly chosenImages: Partial<Record<ImageRole, string>>;
  /** References of images that were built here earlier. */
  readonly builtImages: Partial<Record<ImageRole, string>>;
  /** Absolute path. */
  readonly registryDataDirectory: string;
  readonly project: string;
  /** Where nginx answers when it is not on this machine's own port: inside the stack, `nginx:443`. */
  readonly nginxAddress: { readonly host: string; readonly port: number } | undefined;
}

export type ImageRole = 'registry' | 'nginx' | 'certbot' | 'node';

/** `registry.example.com`, with the port where it is not 443: what stands before the `/` of an image name. */
export function registryAuthority(settings: Pick<Settings, 'domain' | 'httpsPort'>): string {
  const host = settings.domain.includes(':') ? `[${settings.domain}]` : settings.domain;
  return settings.httpsPort === 443 ? host : `${host}:${settings.httpsPort}`;
}

/** The names that go into the certificate. Whoever says `localhost` also means the loopback addresses. */
export function certificateNames(settings: Pick<Settings, 'names' | 'issuer'>): readonly string[] {
  if (settings.issuer !== 'local' || !settings.names.includes('localhost')) return settings.names;
  return [...new Set([...settings.names, '127.0.0.1', '::1'])];
}
