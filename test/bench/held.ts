import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { RegistryClient } from '../../src/registry/client.ts';
import { digestOf } from '../../src/registry/digest.ts';
import { endpointOf, REPOSITORY, randomBlob, type Target } from './load.ts';
import type { Tally } from './tally.ts';

/** More than the sockets and the proxy take in advance. */
const LARGE = 32 * 1024 * 1024;
const PIECE = Buffer.alloc(64 * 1024, 'moorage');
const PIECE_EVERY = 100;

/** The second half of a request whose first half is on its way. */
type Finish = () => Promise<void>;

/**
 * Begins one request of each kind that can be under way while a certificate is changed: on a connection that is kept
 * alive, a push that is sent slowly, and a pull that is read slowly. Each goes on until what is returned is called,
 * and counts as failed unless its whole answer is right.
 * @param large digest of the blob to pull, from `pushLarge`
 */
export async function hold(target: Target, large: string, tally: Tally): Promise<Finish> {
  const kinds = {
    'kept alive': keepAlive,
    'slow push': pushSlowly,
    'slow pull': () => pullSlowly(target, large),
  };
  const begun = Object.entries(kinds).map(async ([what, begin]) => {
    const finish = await tally.count(what, () => begin(target));
    return { what, finish };
  });
  const held = await Promise.all(begun);
  return async () => {
    const ends = held.map(({ what, finish }) => finish && tally.count(what, finish));
    await Promise.all(ends);
  };
}

/** Stores a blob that is worth pulling slowly, and returns its digest. */
export async function pushLarge(target: Target): Promise<string> {
  const large = randomBlob(LARGE);
  await new RegistryClient(endpointOf(target), target.credentials).pushBlob(REPOSITORY, large);
  return large.digest;
}

async function keepAlive({ name, host, port, root }: Target): Promise<Finish> {
  const socket = connect({ host, port, servername: name, ca: root });
  await once(socket, 'secureConnect');
  const half = `GET /v2/ HTTP/1.1\r\nHost: ${name}:${port}\r\n`;
  socket.write(`${half}\r\n`);
  await readRefusal(socket);
  socket.write(half);
  return async () => {
    if (socket.destroyed) throw new Error('the connection was closed without an answer');
    socket.write('\r\n');
    await readRefusal(socket);
    socket.destroy();
  };
}

/** Reads one answer that has a Content-Length. */
async function readRefusal(socket: TLSSocket): Promise<void> {
  let read = '';
  const body = () => read.slice(read.indexOf('\r\n\r\n') + 4).length;
  while (!read.includes('\r\n\r\n') || body() < Number(/content-length: (\d+)/i.exec(read)?.[1] ?? 0)) {
    const ended = once(socket, 'close').then(() => [undefined]);
    const [piece] = await Promise.race([once(socket, 'data'), ended]);
    if (piece === undefined) throw new Error('the connection was closed without an answer');
    read += String(piece);
  }
  if (!read.startsWith('HTTP/1.1 401')) throw new Error(`it was answered with ${read.slice(0, 40)}`);
}

async function pushSlowly(target: Target): Promise<Finish> {
  const opened = await answerOf(open(target, 'POST', `/v2/${REPOSITORY}/blobs/uploads/`).end(), 202);
  const upload = open(target, 'PATCH', opened.headers.location ?? '', {
    'content-type': 'application/octet-stream',
  });
  const answer = answerOf(upload, 202);
  answer.catch(() => undefined); // told when it is asked for
  const digest = createHash('sha256');
  const send = () => {
    if (upload.destroyed) return;
    digest.update(PIECE);
    upload.write(PIECE);
  };
  send();
  const sending = setInterval(send, PIECE_EVERY);
  return async () => {
    clearInterval(sending);
    upload.end();
    const { location = '' } = (await answer).headers;
    const end = new URL(location, `https://${target.name}:${target.port}`);
    end.searchParams.set('digest', `sha256:${digest.digest('hex')}`);
    await answerOf(open(target, 'PUT', end.href, { 'content-length': '0' }).end(), 201);
  };
}

async function pullSlowly(target: Target, digest: string): Promise<Finish> {
  const answer = await answerOf(
    open(target, 'GET', `/v2/${REPOSITORY}/blobs/${digest}`).end(),
    200,
    'unread',
  );
  return async () => {
    const pieces: Buffer[] = [];
    for await (const piece of answer) pieces.push(piece);
    const pulled = digestOf(Buffer.concat(pieces));
    if (pulled !== digest) throw new Error(`pushed ${digest}, pulled ${pulled}`);
  };
}

function open(
  { name, host, port, root, credentials }: Target,
  method: string,
  location: string,
  headers: Readonly<Record<string, string>> = {},
): ClientRequest {
  const { user, password } = credentials;
  const { pathname, search } = new URL(location, `https://${name}:${port}`);
  const outgoing = request({
    ...{ host, port, servername: name, ca: root, agent: false },
    ...{ method, path: `${pathname}${search}`, auth: `${user}:${password.reveal()}` },
    headers: { host: `${name}:${port}`, ...headers },
  });
  outgoing.on('error', () => undefined); // told by `answerOf`; one that comes later says nothing new
  return outgoing;
}

async function answerOf(
  outgoing: ClientRequest,
  status: number,
  body: 'read' | 'unread' = 'read',
): Promise<IncomingMessage> {
  const [answer]: IncomingMessage[] = await once(outgoing, 'response');
  if (answer?.statusCode !== status) throw new Error(`it was answered with ${answer?.statusCode}`);
  if (body === 'read') answer.resume();
  return answer;
}
