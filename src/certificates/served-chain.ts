import { X509Certificate } from 'node:crypto';
import { connect as connectPlain, isIP } from 'node:net';
import { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { messageOf } from '../errors.ts';
import type { HandshakeTarget } from './handshake.ts';

/** What a server shows, byte for byte and in its order. */
export type ServedChain =
  | {
      readonly kind: 'shown';
      readonly chain: readonly [X509Certificate, ...X509Certificate[]];
      /** Why a client with this trust would go away, whatever the names are; `undefined`: it would stay. */
      readonly distrust: string | undefined;
    }
  | { readonly kind: 'failed'; readonly reason: string };

/** RFC 5246 section 6.2.1 and 7.4. */
const HANDSHAKE_RECORD = 22;
const CERTIFICATE_MESSAGE = 11;

/**
 * Node tells of a chain only after it has put it in order and completed it. TLS 1.2 shows it in the clear (RFC 5246
 * section 7.4.2), so it is read on its way. A server that speaks TLS 1.3 alone shows its leaf.
 * @param authority PEM of the CA to trust; without it those of the system
 */
export async function servedChain(target: HandshakeTarget, authority?: string): Promise<ServedChain> {
  const readable = await look(target, authority, 'TLSv1.2');
  return readable.kind === 'shown' ? readable : look(target, authority, 'TLSv1.3');
}

function look(
  { host, port, servername, timeout }: HandshakeTarget,
  authority: string | undefined,
  maxVersion: 'TLSv1.2' | 'TLSv1.3',
): Promise<ServedChain> {
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    const line = connectPlain({ host, port });
    const tapped = new Duplex({
      read: () => undefined,
      write: (chunk, _, done) => void line.write(chunk, done),
      final: (done) => void line.end(done),
    });
    const conclude = (served: ServedChain) => {
      line.destroy();
      resolve(served);
    };
    const fail = (error: unknown) => conclude({ kind: 'failed', reason: messageOf(error) });
    line.on('data', (chunk: Buffer) => {
      received.push(chunk);
      tapped.push(chunk);
    });
    line.once('end', () => tapped.push(null));
    line.once('error', fail);
    line.setTimeout(timeout, () => fail(new Error(`no answer within ${timeout / 1000} s`)));
    line.once('connect', () => {
      const named = isIP(servername) === 0;
      const socket = connect({
        socket: tapped,
        servername: named ? servername : '',
        maxVersion,
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined, // names are looked at with the chain
        ...(authority === undefined ? {} : { ca: authority }),
      });
      socket.once('error', fail);
      socket.once('secureConnect', () => {
        const leaf = socket.getPeerX509Certificate();
        const [first, ...rest] = chainIn(Buffer.concat(received));
        if (first !== undefined) conclude(shown(socket, [first, ...rest]));
        else if (leaf !== undefined) conclude(shown(socket, [leaf]));
        else fail(new Error('no certificate was shown'));
      });
    });
  });
}

function shown(socket: TLSSocket, chain: readonly [X509Certificate, ...X509Certificate[]]): ServedChain {
  const distrust = socket.authorized ? undefined : messageOf(socket.authorizationError);
  return { kind: 'shown', chain, distrust };
}

/** The certificates of the first Certificate message; none where it is encrypted. Pure. */
export function chainIn(records: Buffer): X509Certificate[] {
  const message = certificateMessage(handshakes(records));
  if (message === undefined) return [];
  const certificates: X509Certificate[] = [];
  for (let at = 3; at + 3 <= message.length; ) {
    const length = message.readUIntBE(at, 3);
    certificates.push(new X509Certificate(message.subarray(at + 3, at + 3 + length)));
    at += 3 + length;
  }
  return certificates;
}

/** What handshake records carry, until the first record of another kind. */
function handshakes(records: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + 5 <= records.length; ) {
    const length = records.readUInt16BE(at + 3);
    if (records[at] !== HANDSHAKE_RECORD) break;
    parts.push(records.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return Buffer.concat(parts);
}

function certificateMessage(messages: Buffer): Buffer | undefined {
  for (let at = 0; at + 4 <= messages.length; ) {
    const length = messages.readUIntBE(at + 1, 3);
    if (messages[at] === CERTIFICATE_MESSAGE) return messages.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
  return undefined;
}
