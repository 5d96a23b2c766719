/** Proves control of a name to the CA, by putting something where the CA looks (RFC 8555 section 8). */
export interface Solver {
  readonly type: 'http-01' | 'dns-01';
  /** Puts it there. `authorization` is the key authorization, RFC 8555 section 8.1. */
  present(challenge: Challenge): Promise<void>;
  /** Takes it away again. Always called, also after a failed `present`. */
  cleanUp(challenge: Challenge): Promise<void>;
}
export interface Challenge {
  /** DNS name or IP address, without `*.`. */
  readonly name: string;
  readonly token: string;
  readonly keyAuthorization: string;
}
