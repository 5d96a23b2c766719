/** An ACME server: the URL of its directory object (RFC 8555 section 7.1.1), and the one to rehearse on, if any. */
export interface Directory {
  readonly url: string;
  readonly rehearsal?: string;
  /** A CA that the whole world trusts, so one that only issues for public names. */
  readonly public: boolean;
}

const LETSENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';
const LETSENCRYPT_STAGING = 'https://acme-staging-v02.api.letsencrypt.org/directory';

const ALIASES: ReadonlyMap<string, Directory> = new Map([
  ['letsencrypt', { url: LETSENCRYPT, rehearsal: LETSENCRYPT_STAGING, public: true }],
  ['letsencrypt-staging', { url: LETSENCRYPT_STAGING, public: true }],
  ['buypass', { url: 'https://api.buypass.com/acme/directory', public: true }],
]);

/** Their accounts need external account binding (RFC 8555 section 7.3.4), which certbot is not given yet. */
const NEEDS_ACCOUNT_BINDING: readonly string[] = ['zerossl', 'google'];

/** The directory an alias or an https URL stands for, or the reason it is none. */
export function findDirectory(value: string): Directory | string {
  const known = ALIASES.get(value) ?? [...ALIASES.values()].find(({ url }) => url === value);
  if (known !== undefined) return known;
  if (NEEDS_ACCOUNT_BINDING.includes(value)) {
    return 'needs external account binding, which this version does not have; use letsencrypt';
  }
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined) return `is neither an https URL nor one of ${[...ALIASES.keys()].join(', ')}`;
  if (url.protocol !== 'https:') return 'must begin with https:// (RFC 8555 section 6.1)';
  if (url.username !== '' || url.password !== '') return 'must not carry a password';
  return { url: url.href, public: false };
}
