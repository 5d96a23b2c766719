import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../system/clock.ts';

/** What a token server answers (distribution, docs/spec/auth/token.md). */
export interface Pass {
  readonly token: string;
  /** Seconds. */
  readonly expires_in: number;
  readonly issued_at: string;
}

/** Docker asks for another when it needs one; the login in it is looked at with every request. */
const LIFE = 300;
const PATH = /^\/v2\/token(\?|$)/;
const CIPHER = 'aes-256-gcm';
const [NONCE, TAG, EXPIRY] = [12, 16, 8];
const BEARER = /^bearer +([A-Za-z0-9_-]+)$/i;
/** A host and its port, such as need no quoting. */
const HOST = /^[A-Za-z0-9._-]+(:\d+)?$|^\[[0-9A-Fa-f:.]+\](:\d+)?$/;

/**
 * Docker without its own login sends nothing at all to a registry that asks for Basic at `/v2/` ("no basic auth
 * credentials"), be the image public or not. It does pull where it is asked for a token. So where `anonymous` may pull
 * there are tokens: a pass is the Authorization header with which it was got, or none, sealed under a key of this
 * process. Whoever comes with it is judged as if they had sent that header: it gives nobody a right, and whatever is
 * taken from its owner is taken from it.
 */
export class Passes {
  readonly #key = randomBytes(32);
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  seal(authorization = ''): Pass {
    const now = this.#clock.now();
    const expiry = Buffer.alloc(EXPIRY);
    expiry.writeDoubleBE(now.getTime() + LIFE * 1000);
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv(CIPHER, this.#key, nonce);
    const sealed = Buffer.concat([cipher.update(expiry), cipher.update(authorization), cipher.final()]);
    const token = Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
    return { token, expires_in: LIFE, issued_at: now.toISOString() };
  }

  /** The header that is in a pass. Any other, a false or an old pass too, stays what it is. */
  open(header: string | undefined): string | undefined {
    const [, token] = BEARER.exec(header ?? '') ?? [];
    const content = token === undefined ? undefined : this.#unseal(Buffer.from(token, 'base64url'));
    if (content === undefined) return header;
    const expired = content.readDoubleBE() <= this.#clock.now().getTime();
    return expired ? header : content.subarray(EXPIRY).toString();
  }

  #unseal(bytes: Buffer): Buffer | undefined {
    if (bytes.length < NONCE + TAG + EXPIRY) return undefined;
    const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(0, NONCE), { authTagLength: TAG });
    decipher.setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]);
    } catch {
      return undefined;
    }
  }
}

/** Whether a request is for a pass. No route of distribution's is there. */
export function asksForPass(uri: string): boolean {
  return PATH.test(uri);
}

/** Where to get a pass, for a client's `/v2/`; `undefined` for a person with a browser, which knows Basic alone. */
export function passChallenge(headers: IncomingHttpHeaders): string | undefined {
  const { host = '', accept = '' } = headers;
  if (accept.includes('text/html') || !HOST.test(host)) return undefined;
  const scheme = headers['x-forwarded-proto'] === 'http' ? 'http' : 'https';
  return `Bearer realm="${scheme}://${host}/v2/token",service="${host}"`;
}
