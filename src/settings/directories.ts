/** An ACME server: the URL of its directory object (RFC 8555 section 7.1.1), and the one to rehearse on, if any. */
export interface Directory {
  readonly url: string;
  readonly rehearsal?: string;
  /** A CA that the whole world trusts, so one that only issues for public names. */
  readonly public: boolean;
  /** It is for rehearsals: nobody trusts its certificates, and nobody counts them. */
  readonly staging?: boolean;
  /** Its accounts need external account binding (RFC 8555 section 7.3.4). */
  readonly bindsAccounts?: boolean;
}

const LETSENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';
const LETSENCRYPT_STAGING = 'https://acme-staging-v02.api.letsencrypt.org/directory';

const ALIASES: ReadonlyMap<string, Directory> = new Map([
  ['letsencrypt', { url: LETSENCRYPT, rehearsal: LETSENCRYPT_STAGING, public: true }],
  ['letsencrypt-staging', { url: LETSENCRYPT_STAGING, public: true, staging: true }],
  ['buypass', { url: 'https://api.buypass.com/acme/directory', public: true }],
  ['zerossl', { url: 'https://acme.zerossl.com/v2/DV90', public: true, bindsAccounts: true }],
  ['google', { url: 'https://dv.acme-v02.api.pki.goog/directory', public: true, bindsAccounts: true }],
]);

/** The directory an alias or an https URL stands for, or the reason it is none. */
export function findDirectory(value: string): Directory | string {
  const known = ALIASES.get(value) ?? [...ALIASES.values()].find(({ url }) => url === value);
  if (known !== undefined) return known;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined) return `is neither an https URL nor one of ${[...ALIASES.keys()].join(', ')}`;
  if (url.protocol !== 'https:') return 'must begin with https:// (RFC 8555 section 6.1)';
  if (url.username !== '' || url.password !== '') return 'must not carry a password';
  return { url: url.href, public: false };
}
