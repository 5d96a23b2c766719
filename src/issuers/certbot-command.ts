import type { ExternalAccount } from '../acme/account.ts';
import type { Directory } from '../settings/directories.ts';

/** Where things are inside certbot's container. */
export const INSIDE = {
  config: '/etc/letsencrypt',
  webroot: '/var/www/acme',
  trust: '/etc/letsencrypt/acme-trust.pem',
} as const;

/** Who asks, and for what kind of certificate. */
export interface CertbotAccount {
  readonly email: string | undefined;
  readonly externalAccount: ExternalAccount | undefined;
  readonly profile: string | undefined;
}

export interface CertbotRequest extends Pick<CertbotAccount, 'email' | 'profile'> {
  /** URL */
  readonly directory: string;
  readonly names: readonly string[];
  /** Goes through everything and keeps nothing. */
  readonly rehearsal: boolean;
}

/** certbot's name for the lineage: one for each registry, so `-0001` never appears. */
export const LINEAGE = 'registry';

/** certbot's arguments, all of them known to 4.0 and later. */
export function certbotArguments({ directory, names, email, profile, rehearsal }: CertbotRequest): string[] {
  return [
    'certonly',
    '--non-interactive',
    '--agree-tos',
    '--no-eff-email',
    ...(email === undefined ? ['--register-unsafely-without-email'] : ['--email', email]),
    '--server',
    directory,
    '--webroot',
    '--webroot-path',
    INSIDE.webroot,
    '--cert-name',
    LINEAGE,
    ...names.flatMap((name) => ['--domain', name]),
    '--key-type',
    'ecdsa',
    // Preferred, not required: a profile that is gone must not stop a renewal.
    ...(profile === undefined ? [] : ['--preferred-profile', profile]),
    '--config-dir',
    INSIDE.config,
    '--work-dir',
    `${INSIDE.config}/work`,
    '--logs-dir',
    `${INSIDE.config}/logs`,
    // Whether a certificate is due was decided before certbot is asked; its own idea of it must not stand in the way.
    ...(rehearsal ? ['--dry-run'] : ['--force-renewal', '--renew-with-new-domains']),
  ];
}

/** certbot's configuration file: the place for what must not be seen in a list of processes. */
export function iniFile({ externalAccount }: Pick<CertbotAccount, 'externalAccount'>): string {
  if (externalAccount === undefined) return '';
  return `eab-kid = ${externalAccount.kid}\neab-hmac-key = ${externalAccount.hmacKey}\n`;
}

/** A folder name for a directory URL: what one CA issued is never mixed with what another did. */
export function directorySlug({ url }: Directory | { readonly url: string }): string {
  return url
    .replace(/^https:\/\//, '')
    .replace(/[^A-Za-z0-9.-]+/g, '-')
    .replace(/-$/, '');
}
