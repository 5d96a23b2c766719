import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GuardedStack } from './guarded-stack.ts';

/** A body as it comes to be; what it gives is on its way when it is asked for more. */
export type Body = AsyncIterable<Buffer> | Iterable<Buffer>;

interface Sent {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
}

/** Moves blobs as a client does that has neither the whole of them in memory nor on its disk. */
export class Transfer {
  readonly #stack: GuardedStack;
  readonly #repository: string;

  constructor(stack: GuardedStack, repository: string) {
    this.#stack = stack;
    this.#repository = repository;
  }

  /** POST, PATCH and PUT, as docker does. Answers the digest of what was sent. */
  async push(body: Body): Promise<string> {
    const hash = createHash('sha256');
    const hashed = async function* () {
      for await (const chunk of body) {
        hash.update(chunk);
        yield chunk;
      }
    };
    const { location } = await this.patch(await this.start(), hashed());
    const digest = `sha256:${hash.digest('hex')}`;
    await this.finish(location, digest);
    return digest;
  }

  /** Where an upload goes on (distribution-spec, "Pushing a blob in chunks"). */
  async start(): Promise<string> {
    const { headers } = await this.#send('POST', `/v2/${this.#repository}/blobs/uploads/`, 202);
    return locationOf(headers);
  }

  /** @param from with it the chunk says by Content-Range where it belongs; its size has to be known then */
  async patch(
    location: string,
    body: Body,
    chunk?: { readonly from: number; readonly size: number },
  ): Promise<{ location: string }> {
    const range =
      chunk === undefined
        ? {}
        : {
            'content-range': `${chunk.from}-${chunk.from + chunk.size - 1}`,
            'content-length': String(chunk.size),
          };
    const headers = { 'content-type': 'application/octet-stream', ...range };
    const answer = await this.#send('PATCH', location, 202, { headers, body });
    return { location: locationOf(answer.headers) };
  }

  /** How much has arrived, and where to go on. */
  async status(location: string): Promise<{ size: number; location: string }> {
    const { headers } = await this.#send('GET', location, 204);
    const [, last] = /^0-(\d+)$/.exec(String(headers.range)) ?? [];
    return { size: Number(last) + 1, location: locationOf(headers) };
  }

  async finish(location: string, digest: string): Promise<void> {
    const separator = location.includes('?') ? '&' : '?';
    await this.#send('PUT', `${location}${separator}digest=${digest}`, 201, {
      headers: { 'content-length': '0' },
    });
  }

  /** Reads as fast as `pace` lets it. Answers the digest of what came. */
  async pull(
    digest: string,
    pace: (received: number) => Promise<void> = async () => undefined,
  ): Promise<{ digest: string; size: number }> {
    const answer = await this.#ask('GET', `/v2/${this.#repository}/blobs/${digest}`);
    if (answer.statusCode !== 200) throw new Error(`the blob was answered with ${answer.statusCode}`);
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of answer) {
      hash.update(chunk);
      size += chunk.length;
      await pace(size);
    }
    return { digest: `sha256:${hash.digest('hex')}`, size };
  }

  async #send(
    method: string,
    path: string,
    wanted: number,
    how: { readonly headers?: Readonly<Record<string, string>>; readonly body?: Body } = {},
  ): Promise<Sent> {
    const answer = await this.#ask(method, path, how);
    const said = await text(answer);
    if (answer.statusCode !== wanted)
      throw new Error(`${method} ${path} was answered with ${answer.statusCode}: ${said.slice(0, 200)}`);
    return { status: wanted, headers: answer.headers };
  }

  async #ask(
    method: string,
    path: string,
    { headers, body }: { readonly headers?: Readonly<Record<string, string>>; readonly body?: Body } = {},
  ): Promise<IncomingMessage> {
    const [host, port] = this.#stack.authority.split(':');
    const auth = this.#stack.login('admin');
    const options = { host, port, method, path, auth, rejectUnauthorized: false, agent: false as const };
    const asked = request({ ...options, ...(headers === undefined ? {} : { headers }) });
    const answered = once(asked, 'response');
    const sending = body === undefined ? void asked.end() : pipeline(Readable.from(body), asked);
    const [[answer]] = await Promise.all([answered, sending]);
    return answer;
  }
}

/** So many bytes of each second, in pieces. */
export async function* paced(bytes: Iterable<Buffer>, perSecond: number): AsyncGenerator<Buffer> {
  for (const chunk of bytes) {
    yield chunk;
    await sleep((chunk.length / perSecond) * 1000);
  }
}

/** `count` times the same piece. */
export function* repeated(piece: Buffer, count: number): Generator<Buffer> {
  for (let number = 0; number < count; number += 1) yield piece;
}

function locationOf({ location }: IncomingMessage['headers']): string {
  const { pathname, search } = new URL(String(location), 'https://localhost');
  return `${pathname}${search}`;
}
