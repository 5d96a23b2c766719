import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { messageOf } from '../errors.ts';
import type { Certificate } from './certificate.ts';

export type Handshake =
  | { readonly kind: 'shown'; readonly fingerprint: string }
  | { readonly kind: 'failed'; readonly reason: string };

export type Shown = Pick<Certificate, 'fingerprint' | 'notBefore' | 'notAfter'>;

export interface HandshakeTarget {
  readonly host: string;
  readonly port: number;
  /** The name to ask for by SNI; addresses are not asked for (RFC 6066 section 3). */
  readonly servername: string;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Looks which certificate a server shows. Any certificate will do: this looks, it does not trust. */
export async function servedFingerprint(target: HandshakeTarget): Promise<Handshake> {
  try {
    return { kind: 'shown', fingerprint: (await servedCertificate(target)).fingerprint };
  } catch (error) {
    return { kind: 'failed', reason: messageOf(error) };
  }
}

/**
 * The same with what it says of its time.
 * @throws Error when there is no handshake, or none within the time
 */
export function servedCertificate({ host, port, servername, timeout }: HandshakeTarget): Promise<Shown> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      servername: isIP(servername) === 0 ? servername : '',
      rejectUnauthorized: false,
    });
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(timeout, () => fail(new Error(`no answer within ${timeout / 1000} s`)));
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      const shown = socket.getPeerX509Certificate();
      if (shown === undefined) return fail(new Error('no certificate was shown'));
      socket.destroy();
      const { fingerprint256: fingerprint, validFrom, validTo } = shown;
      resolve({ fingerprint, notBefore: new Date(validFrom), notAfter: new Date(validTo) });
    });
  });
}
