import type { Directory } from '../settings/directories.ts';

/** Where things are inside certbot's container. */
export const INSIDE = {
  config: '/etc/letsencrypt',
  webroot: '/var/www/acme',
  trust: '/etc/letsencrypt/acme-trust.pem',
} as const;

export interface CertbotRequest {
  readonly directory: string;
  readonly names: readonly string[];
  readonly email: string | undefined;
  /** Goes through everything and keeps nothing. */
  readonly rehearsal: boolean;
}

/** certbot's name for the lineage: one for each registry, so `-0001` never appears. */
export const LINEAGE = 'registry';

/** certbot's arguments, all of them known to 4.0 and later. */
export function certbotArguments({ directory, names, email, rehearsal }: CertbotRequest): string[] {
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

/** A folder name for a directory URL: what one CA issued is never mixed with what another did. */
export function directorySlug({ url }: Directory | { readonly url: string }): string {
  return url
    .replace(/^https:\/\//, '')
    .replace(/[^A-Za-z0-9.-]+/g, '-')
    .replace(/-$/, '');
}

/**
 * The lines of certbot's output that say what the CA or the network objected to. `refused` is a CA that answered and
 * said no; anything else (unreachable, broken) is not about this registry.
 */
export function certbotComplaint(output: string): { readonly refused: boolean; readonly lines: string } {
  const noise =
    /^(Saving debug log|Ask for help|See the logfile|Hint:|Simulating|Requesting|Account registered)/;
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^[- ]+$/.test(line) && !noise.test(line));
  const refused = /Some challenges have failed|urn:ietf:params:acme:error|Error creating new order/.test(
    output,
  );
  return { refused, lines: lines.slice(-8).join('\n') };
}
