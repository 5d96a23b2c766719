import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Question } from './question.ts';
import { answerTo, type Refusal } from './refusal.ts';

/** A request that nginx left to the gate, with its body still to come. */
export interface Exchange {
  readonly question: Question;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** RFC 9110 section 7.6.1: they are about one connection. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade']);
const FORWARDED = [
  'accept',
  'content-type',
  'content-range',
  'if-none-match',
  'range',
  'user-agent',
] as const;
/**
 * distribution looks for `from` and `mount` in forms too (Go's FormValue), where the gate does not: no body is a form.
 * Only what is plainly another type passes, as in nginx's map: Go folds more than ASCII when it reads a type.
 */
const NO_FORM = /^application\/[A-Za-z0-9.+_-]+ *(;[ -~]*)?$/;
const FORM = /x-www-form-urlencoded/i;

export function refuse(response: ServerResponse, refusal: Refusal): void {
  const { status, headers, body, reason } = answerTo(refusal);
  if (reason !== undefined) response.statusMessage = reason;
  send(response, status, headers, body);
}

export function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string | string[]>>,
  body: string | Buffer,
): void {
  response.writeHead(status, {
    'docker-distribution-api-version': 'registry/2.0',
    ...headers,
    'content-length': Buffer.byteLength(body), // Node leaves it out, and so does a HEAD that asks for it
  });
  response.end(body);
}

/** The whole body; `undefined` when there is more than `limit` bytes. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What the registry is told of a client's headers; nothing about its body's length. */
export function forwarded(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of FORWARDED) {
    const value = headers[name];
    if (value !== undefined) kept[name] = value;
  }
  const type = kept['content-type'];
  if (type !== undefined && (FORM.test(type) || !NO_FORM.test(type)))
    kept['content-type'] = 'application/octet-stream';
  return kept;
}

export function endToEnd(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !HOP_BY_HOP.has(name)) kept[name] = value;
  }
  return kept;
}
