/** Proves control of a name to the CA, by putting something where the CA looks (RFC 8555 section 8). */
export interface Solver {
  readonly type: 'http-01' | 'dns-01';
  /** Puts it there. */
  present(challenge: Challenge): Promise<void>;
  /** Takes it away again. Always called, also after a failed `present`. */
  cleanUp(challenge: Challenge): Promise<void>;
  /** Whether it could work, as far as that shows without the CA. @throws Failure */
  check?(name: string): Promise<void>;
}

export interface Challenge {
  /** DNS name or IP address, without `*.`. */
  readonly name: string;
  readonly token: string;
  /** RFC 8555 section 8.1 */
  readonly keyAuthorization: string;
}
