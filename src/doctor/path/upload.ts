import { CutOff, exchange, type Question, type Reply, type Speaker } from '../../registry/exchange.ts';
import { plainly } from '../words.ts';
import type { RandomBody } from './random-body.ts';

/** How an upload ended. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly method: string; readonly sent: number; readonly reply: Reply }
  | { readonly kind: 'cut'; readonly method: string; readonly sent: number; readonly reason: string };

export interface Way {
  readonly speaker: Speaker;
  readonly repository: string;
  readonly signal: AbortSignal;
  readonly onBytes?: (sum: number) => void;
}

/** As Docker sends a layer: POST, one PATCH in chunked encoding, PUT (distribution-spec, end-4a, end-5, end-6). */
export function pushWhole(way: Way, body: RandomBody): Promise<Outcome> {
  return outcomeOf(async (ask) => {
    const started = await ask(202, start(way));
    const patch = { method: 'PATCH', path: locationOf(started), headers: OCTETS, body: body.pieces() };
    const patched = await ask(202, patch, way.onBytes);
    await ask(201, { method: 'PUT', path: withDigest(locationOf(patched), body.digest) });
  }, way);
}

/** In several PATCHes, each with its length and its place (distribution-spec, "Pushing a blob in chunks"). */
export function pushChunks(way: Way, body: RandomBody, chunk: number): Promise<Outcome> {
  return outcomeOf(async (ask) => {
    let path = locationOf(await ask(202, start(way)));
    for (let from = 0; from < body.bytes; from += chunk) {
      const to = Math.min(from + chunk, body.bytes);
      const headers = { ...OCTETS, 'content-range': `${from}-${to - 1}` };
      const pieces = body.pieces(from, to);
      const patched = await ask(
        202,
        { method: 'PATCH', path, headers, body: pieces, length: to - from },
        (sum) => way.onBytes?.(from + sum),
      );
      path = locationOf(patched);
    }
    await ask(201, { method: 'PUT', path: withDigest(path, body.digest) });
  }, way);
}

type Ask = (status: number, question: Question, onBytes?: (sum: number) => void) => Promise<Reply>;

/** Ends a sequence of questions at the first one that is not answered as it should be. */
export async function outcomeOf(
  work: (ask: Ask) => Promise<void>,
  { speaker, signal }: Way,
): Promise<Outcome> {
  let failed: Outcome | undefined;
  const ask: Ask = async (status, question, onBytes) => {
    const { method } = question;
    try {
      const reply = await exchange(
        speaker,
        question,
        onBytes === undefined ? { signal } : { signal, onBytes },
      );
      if (reply.status === status) return reply;
      failed = { kind: 'refused', method, sent: reply.sent, reply };
    } catch (error) {
      if (!(error instanceof CutOff)) throw error;
      failed = { kind: 'cut', method, sent: error.sent, reason: plainly(error) };
    }
    throw new Ended();
  };
  try {
    await work(ask);
    return { kind: 'done' };
  } catch (error) {
    if (error instanceof Ended && failed !== undefined) return failed;
    throw error;
  }
}

class Ended extends Error {}

const OCTETS = { 'content-type': 'application/octet-stream' };

export function start({ repository }: Pick<Way, 'repository'>): Question {
  return { method: 'POST', path: `/v2/${repository}/blobs/uploads/` };
}

/** Path and query, whatever scheme and host stand before them: whether these are right is a check of its own. */
export function locationOf({ headers }: Pick<Reply, 'headers'>): string {
  const { pathname, search } = new URL(headers.location ?? '', 'http://registry');
  return `${pathname}${search}`;
}

function withDigest(path: string, digest: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}digest=${digest}`;
}
