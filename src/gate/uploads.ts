import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Audit } from './audit.ts';
import type { Task } from './decide.ts';
import { type Exchange, endToEnd, forwarded, refuse, send } from './exchange.ts';
import type { Allowed } from './judge.ts';
import type { GateMetrics } from './metrics.ts';
import { noteRefusal } from './noted.ts';
import type { Claim, Shortage, Space } from './space.ts';
import { Turns } from './turns.ts';
import type { Upstream } from './upstream.ts';

type Watched = Task & { readonly kind: 'watched-upload' };
type Mount = Task & { readonly kind: 'mount-only' };

interface UploadParts {
  readonly upstream: Upstream;
  readonly audit: Audit;
  readonly space: Space;
  readonly metrics: GateMetrics;
}

/** Uploads while the disk has little room: each chunk is counted, and none leads below the mark. */
export class Uploads {
  readonly #upstream: Upstream;
  readonly #audit: Audit;
  readonly #space: Space;
  readonly #metrics: GateMetrics;
  /** Of several that meet the mark at once, one is cut after the other: that one may have been enough. */
  readonly #turns = new Turns();

  constructor(parts: UploadParts) {
    this.#upstream = parts.upstream;
    this.#audit = parts.audit;
    this.#space = parts.space;
    this.#metrics = parts.metrics;
  }

  /** A blob of another repository takes no room. A registry that has none begins an upload instead, which is undone. */
  async mount({ repository }: Mount, allowed: Allowed, exchange: Exchange): Promise<void> {
    const { method, uri } = exchange.question;
    const answer = await this.#upstream.read({ method, uri });
    const shortage = answer.status === 202 ? this.#space.shortage() : undefined;
    if (shortage === undefined)
      return send(exchange.response, answer.status, endToEnd(answer.headers), answer.body);
    await this.#cancel(answer.headers.location ?? uri);
    this.#refuse(repository, shortage, allowed, exchange);
  }

  async stream({ repository }: Watched, allowed: Allowed, exchange: Exchange): Promise<void> {
    const { question } = exchange;
    const { who } = allowed.caller;
    const claim = this.#space.claim(who.kind === 'user' ? who.name : '', question.length);
    if (!('take' in claim)) {
      await this.#cancel(question.uri);
      return this.#refuse(repository, claim, allowed, exchange);
    }
    try {
      const cut = await this.#relay(claim, exchange);
      if (cut === undefined) return;
      this.#metrics.uploadCut();
      this.#refuse(repository, cut, allowed, exchange);
    } finally {
      claim.end();
    }
  }

  /** Answers why the upload was cut, if so; else the client has its answer. */
  async #relay(claim: Claim, { question, request, response }: Exchange): Promise<Shortage | undefined> {
    const { method, uri } = question;
    const cutting = new Cutting();
    // The registry checks a place by the length, which must not end early then: only what is kept for it is not cut.
    const placed = request.headers['content-range'] !== undefined && question.length !== undefined;
    const whole = placed && claim.kept;
    const headers = {
      ...forwarded(request.headers),
      ...(whole ? { 'content-length': String(question.length) } : {}),
    };
    const take = (bytes: number) =>
      claim.take(bytes) === undefined || whole || this.#inNeed(claim, bytes, cutting);
    try {
      const body = Readable.from(metered(request, take), { objectMode: false, highWaterMark: BUFFER });
      const answer = await this.#upstream.ask({ method, uri, headers, body });
      const failed = (answer.statusCode ?? 500) >= 500;
      if (failed) await this.#space.look(); // somebody else may have filled the disk
      const shortage = cutting.because ?? (failed ? this.#space.shortage() : undefined);
      if (shortage === undefined) {
        response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
        await pipeline(answer, response);
        return undefined;
      }
      answer.resume();
      // What ends early is a shorter upload to the registry: a PATCH tells where it goes on, a PUT was of another digest.
      await this.#cancel(answer.headers.location ?? uri);
      await this.#space.look();
      return shortage;
    } finally {
      cutting.done();
      request.resume(); // else nobody would see that nginx has hung up
    }
  }

  /** The last look may be old, and another upload may just have made room. */
  #inNeed(claim: Claim, bytes: number, cutting: Cutting): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#turns
        .inTurn('mark', async () => {
          await this.#space.look();
          cutting.because = claim.take(bytes);
          resolve(cutting.because === undefined);
          if (cutting.because !== undefined) await cutting.through;
        })
        .catch(reject);
    });
  }

  /** Whatever the registry has of it goes. It may be gone already. */
  async #cancel(location: string): Promise<void> {
    const { pathname, search } = new URL(location, 'http://registry');
    await this.#upstream.read({ method: 'DELETE', uri: `${pathname}${search}` });
  }

  #refuse(repository: string, shortage: Shortage, { caller }: Allowed, exchange: Exchange): void {
    const refusal = { kind: 'disk-full', repository, ...shortage } as const;
    noteRefusal(this.#audit, refusal, caller, exchange.question);
    refuse(exchange.response, refusal);
  }
}

/** What is under way to the registry when somebody looks is forgotten: it is to be little. */
const BUFFER = 256 * 1024;

/** One upload's end before its time, and when that is through. */
class Cutting {
  because: Shortage | undefined;
  done: () => void = () => undefined;
  readonly through = new Promise<void>((resolve) => {
    this.done = resolve;
  });
}

/** The body until there is no room for more of it. The rest is left unread: its sender has to be answered. */
async function* metered(
  request: IncomingMessage,
  take: (bytes: number) => boolean | Promise<boolean>,
): AsyncGenerator<Buffer> {
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const taken = take(chunk.length);
    if (taken !== true && !(await taken)) return;
    yield chunk;
  }
}
