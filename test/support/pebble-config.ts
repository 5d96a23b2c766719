/** How a test CA is to behave, on a stack's network or on the loopback. */
export interface CaOptions {
  /**
   * Lifetime in seconds of each profile's certificates. Without: one profile `default`, five years.
   * An order that names no profile gets one by chance: give one profile only, or name it.
   */
  readonly profiles?: Readonly<Record<string, number>>;
  /** External account keys (id: base64url of a MAC key). When given, a new account needs one (RFC 8555 section 7.3.4). */
  readonly externalAccountKeys?: Readonly<Record<string, string>>;
  /** Seconds of Retry-After on unfinished ones; Pebble sends them as a number or as a date, by chance. */
  readonly retryAfter?: { readonly authz?: number; readonly order?: number };
  /** Names that are refused at newOrder (rejectedIdentifier). */
  readonly blocked?: readonly string[];
  /**
   * PEBBLE_* variables of Pebble's README. Unless told otherwise: no random waiting before a validation (not so with
   * PEBBLE_VA_SLEEPTIME), no refused nonces, no authorization is used again.
   */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Listening {
  readonly acme: string;
  readonly management: string;
  /** Where certificate and key are, as Pebble sees it. */
  readonly folder: string;
  /** Ports that the CA comes to for http-01 and tls-alpn-01. */
  readonly httpPort: number;
  readonly tlsPort: number;
}

/** Pebble's configuration file (`pebble -config`). */
export function pebbleConfig(options: CaOptions, { acme, management, folder, httpPort, tlsPort }: Listening) {
  const { profiles = {}, externalAccountKeys, retryAfter, blocked } = options;
  return {
    pebble: {
      listenAddress: acme,
      managementListenAddress: management,
      certificate: `${folder}/cert.pem`,
      privateKey: `${folder}/key.pem`,
      keyAlgorithm: 'ecdsa', // an RSA key would take longer than all the rest of the start
      httpPort,
      tlsPort,
      retryAfter,
      domainBlocklist: blocked,
      externalAccountBindingRequired: externalAccountKeys !== undefined,
      externalAccountMACKeys: externalAccountKeys,
      profiles: Object.fromEntries(
        Object.entries(profiles).map(([name, seconds]) => [
          name,
          { description: `${seconds} seconds`, validityPeriod: seconds },
        ]),
      ),
    },
  };
}

export function pebbleVariables({ env = {} }: CaOptions): Record<string, string> {
  return {
    ...('PEBBLE_VA_SLEEPTIME' in env ? {} : { PEBBLE_VA_NOSLEEP: '1' }),
    PEBBLE_WFE_NONCEREJECT: '0',
    PEBBLE_AUTHZREUSE: '0',
    ...env,
  };
}

export function reusesAuthorizations(options: CaOptions): boolean {
  return pebbleVariables(options).PEBBLE_AUTHZREUSE !== '0';
}

/** challtestsrv answers for the DNS only. A name without an address of its own is at 127.0.0.1. */
export function dnsArguments(dns: string, management: string): string[] {
  const off = ['-http01', '-https01', '-tlsalpn01', '-doh', '-defaultIPv6'].flatMap((option) => [option, '']);
  return [...off, '-dnsserver', dns, '-management', management];
}
