import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { messageOf } from '../errors.ts';
import { bracketed } from '../settings/names.ts';
import { basic, type Credentials, type Endpoint, openConnection } from './client.ts';

/** More of a body than an error needs. */
const KEPT = 16 * 1024;

export interface Question {
  readonly method: string;
  /** As it goes over the wire. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent piece by piece as it is made; without `length` in chunked encoding (RFC 9112 section 7.1). */
  readonly body?: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  readonly length?: number;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The first 16 KiB. */
  readonly text: string;
  /** Of the whole body, as it came. */
  readonly bytes: number;
  readonly digest: string;
  /** Bytes of the question's body that were handed to the network when the answer came. */
  readonly sent: number;
}

/** The connection broke, or was never there. */
export class CutOff extends Error {
  override readonly name = 'CutOff';
  /** Bytes of the body that had been handed to the network. */
  readonly sent: number;

  constructor(sent: number, cause: unknown) {
    super(messageOf(cause), { cause });
    this.sent = sent;
  }
}

export interface Speaker {
  readonly endpoint: Endpoint;
  readonly credentials?: Credentials | undefined;
}

/**
 * One question on a connection of its own, whatever the answer is. Nothing of either body is kept in memory. An answer
 * that comes before the body has gone out ends the sending.
 * @throws CutOff
 */
export async function exchange(
  { endpoint, credentials }: Speaker,
  question: Question,
  { signal, onBytes = () => undefined }: { signal: AbortSignal; onBytes?: (sum: number) => void },
): Promise<Reply> {
  const progress = { sent: 0, answered: false };
  let close: () => void = () => undefined;
  try {
    const socket = await openConnection(endpoint);
    close = () => void socket.destroy();
    const asked = httpRequest({
      method: question.method,
      path: question.path,
      headers: headersOf(endpoint, credentials, question),
      createConnection: () => socket,
      signal,
    });
    const answer = once(asked, 'response').then(([response]: IncomingMessage[]) => {
      progress.answered = true;
      return response;
    });
    const [response] = await Promise.all([answer, send(asked, question, progress, onBytes)]);
    if (response === undefined) throw new Error('no answer');
    return await read(response, progress.sent, question.body === undefined ? onBytes : () => undefined);
  } catch (error) {
    throw error instanceof CutOff ? error : new CutOff(progress.sent, error);
  } finally {
    close();
  }
}

function headersOf(
  { name, port, trust }: Endpoint,
  credentials: Credentials | undefined,
  { method, headers, body, length }: Question,
): Record<string, string> {
  const usual = trust.kind === 'plain' ? 80 : 443;
  return {
    host: port === usual ? bracketed(name) : `${bracketed(name)}:${port}`,
    connection: 'close',
    ...(credentials === undefined ? {} : { authorization: basic(credentials) }),
    ...(body === undefined || length !== undefined ? {} : { 'transfer-encoding': 'chunked' }),
    ...(body === undefined && method !== 'GET' && method !== 'HEAD' ? { 'content-length': '0' } : {}),
    ...(length === undefined ? {} : { 'content-length': String(length) }),
    ...headers,
  };
}

/** Errors while something is sent do not count once there is an answer: whoever refuses a body stops reading it. */
async function send(
  asked: ClientRequest,
  { body }: Question,
  progress: { sent: number; answered: boolean },
  onBytes: (sum: number) => void,
): Promise<void> {
  let broken = false;
  asked.on('error', () => {
    broken = true;
  });
  for await (const piece of body ?? []) {
    if (progress.answered || broken) break;
    const room = asked.write(piece);
    progress.sent += piece.byteLength;
    onBytes(progress.sent);
    if (!room) await anyOf(asked, ['drain', 'response', 'close']);
  }
  if (progress.answered) return;
  asked.end();
}

/** Listeners do not pile up over many pieces. */
async function anyOf(asked: ClientRequest, events: readonly string[]): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race(events.map((event) => once(asked, event, { signal: over.signal })));
  } catch {
    // broken: whoever waits for the answer is told
  } finally {
    over.abort();
  }
}

async function read(response: IncomingMessage, sent: number, onBytes: (sum: number) => void): Promise<Reply> {
  const hash = createHash('sha256');
  const kept: Buffer[] = [];
  let bytes = 0;
  for await (const piece of pieces(response)) {
    hash.update(piece);
    if (bytes < KEPT) kept.push(piece);
    bytes += piece.length;
    onBytes(bytes);
  }
  return {
    status: response.statusCode ?? 0,
    headers: single(response.headers),
    text: Buffer.concat(kept).subarray(0, KEPT).toString(),
    bytes,
    digest: `sha256:${hash.digest('hex')}`,
    sent,
  };
}

/** Node leaves open what a stream gives. */
async function* pieces(response: IncomingMessage): AsyncGenerator<Buffer> {
  for await (const piece of response) if (Buffer.isBuffer(piece)) yield piece;
}

function single(headers: NodeJS.Dict<string | string[]>): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}
