import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { messageOf } from '../errors.ts';

export type Handshake =
  | { readonly kind: 'shown'; readonly fingerprint: string }
  | { readonly kind: 'failed'; readonly reason: string };

export interface HandshakeTarget {
  readonly host: string;
  readonly port: number;
  /** The name to ask for by SNI; addresses are not asked for (RFC 6066 section 3). */
  readonly servername: string;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Looks which certificate a server shows. Any certificate will do: this looks, it does not trust. */
export function servedFingerprint({ host, port, servername, timeout }: HandshakeTarget): Promise<Handshake> {
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port,
      servername: isIP(servername) === 0 ? servername : '',
      rejectUnauthorized: false,
    });
    const conclude = (handshake: Handshake) => {
      socket.destroy();
      resolve(handshake);
    };
    socket.setTimeout(timeout, () =>
      conclude({ kind: 'failed', reason: `no answer within ${timeout / 1000} s` }),
    );
    socket.once('error', (error) => conclude({ kind: 'failed', reason: messageOf(error) }));
    socket.once('secureConnect', () => {
      const fingerprint = socket.getPeerX509Certificate()?.fingerprint256;
      if (fingerprint === undefined) conclude({ kind: 'failed', reason: 'no certificate was shown' });
      else conclude({ kind: 'shown', fingerprint });
    });
  });
}
