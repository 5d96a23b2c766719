import { pipeline } from 'node:stream/promises';
import { may } from '../access/rights.ts';
import { unreachable } from '../errors.ts';
import type { Clock } from '../system/clock.ts';
import type { Audit } from './audit.ts';
import { listRepositories, readPage } from './catalog.ts';
import { Changes } from './changes.ts';
import type { Content, Task } from './decide.ts';
import { type Exchange, endToEnd, forwarded, refuse, send } from './exchange.ts';
import type { Allowed, Judgement } from './judge.ts';
import type { GateMetrics } from './metrics.ts';
import { noteRefusal } from './noted.ts';
import { type Passes, passChallenge } from './passes.ts';
import { Penalty } from './penalty.ts';
import { answerTo } from './refusal.ts';
import type { Served } from './served.ts';
import type { Space } from './space.ts';
import type { Stored } from './stored.ts';
import { Uploads } from './uploads.ts';
import type { Upstream } from './upstream.ts';

export interface AnswerParts {
  readonly upstream: Upstream;
  readonly audit: Audit;
  readonly clock: Clock;
  /** The registry's disk; without it everything is asked of the registry. */
  readonly stored: Stored | undefined;
  readonly space: Space;
  readonly metrics: GateMetrics;
}

/** Between nginx’s question and this the rules have changed. */
const ASK_AGAIN = { kind: 'unavailable', seconds: 1, because: 'ask again' } as const;

const BRINGS_DATA = new Set(['POST', 'PATCH', 'PUT']);

/** What the gate answers itself: refusals, manifests, and whatever changes a name or shows names. */
export class Answers {
  readonly #upstream: Upstream;
  readonly #audit: Audit;
  readonly #passes: Passes;
  readonly #served: Served | undefined;
  readonly #changes: Changes;
  readonly #uploads: Uploads;
  readonly #penalty: Penalty;
  readonly #metrics: GateMetrics;

  constructor(parts: AnswerParts, passes: Passes, served: Served | undefined) {
    this.#upstream = parts.upstream;
    this.#audit = parts.audit;
    this.#passes = passes;
    this.#served = served;
    this.#changes = new Changes(parts);
    this.#uploads = new Uploads(parts);
    this.#penalty = new Penalty(parts.clock);
    this.#metrics = parts.metrics;
  }

  async give(judgement: Judgement, exchange: Exchange): Promise<void> {
    if (judgement.kind === 'refused') {
      const { refusal, caller } = judgement;
      noteRefusal(this.#audit, refusal, caller, exchange.question);
      await this.#penalty.for(refusal);
      return refuse(exchange.response, refusal);
    }
    const { decision } = judgement;
    if (decision.kind === 'pass') return this.#pass(decision.reads, exchange);
    return this.#perform(decision.task, judgement, exchange);
  }

  #perform(task: Task, allowed: Allowed, exchange: Exchange): Promise<void> {
    switch (task.kind) {
      case 'list-repositories':
        return this.#list(allowed, exchange);
      case 'offer-pass':
        return this.#offerPass(exchange);
      case 'give-pass':
        return this.#givePass(exchange);
      case 'push-manifest':
        return this.#changes.push(task, allowed, exchange);
      case 'delete':
        return this.#changes.delete(task, allowed, exchange);
      case 'upload-without-mount':
        return this.#startUpload(task.repository, exchange);
      case 'watched-upload':
        return this.#uploads.stream(task, allowed, exchange);
      case 'mount-only':
        return this.#uploads.mount(task, allowed, exchange);
      default:
        return unreachable(task);
    }
  }

  async #offerPass({ request, response }: Exchange): Promise<void> {
    const challenge = passChallenge(request.headers);
    const { status, headers, body } = answerTo({ kind: 'unauthorized' });
    const asked = challenge === undefined ? headers : { ...headers, 'www-authenticate': challenge };
    send(response, status, asked, body);
  }

  async #givePass({ question, response }: Exchange): Promise<void> {
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
    this.#metrics.passGiven();
    send(response, 200, headers, `${JSON.stringify(this.#passes.seal(question.authorization))}\n`);
  }

  async #list({ caller, rules }: Allowed, { question, response }: Exchange): Promise<void> {
    const wanted = readPage(question.uri);
    if (wanted === undefined) return refuse(response, { kind: 'bad-page' });
    const visible = (repository: string) => may(rules.policy, caller.who, 'pull', repository);
    const { repositories, next } = await listRepositories(this.#upstream, wanted, visible);
    if (next !== undefined) {
      const query = new URLSearchParams({ last: next, n: String(repositories.length) });
      response.setHeader('link', `</v2/_catalog?${query}>; rel="next"`);
    }
    send(response, 200, { 'content-type': 'application/json' }, `${JSON.stringify({ repositories })}\n`);
  }

  /** With no word of what the client wanted beyond it, in query or body. */
  async #startUpload(repository: string, { response }: Exchange): Promise<void> {
    const uri = `/v2/${repository}/blobs/uploads/`;
    const answer = await this.#upstream.read({ method: 'POST', uri });
    send(response, answer.status, endToEnd(answer.headers), answer.body);
  }

  /** The gate reaches the registry alone: it has an answer of the mirror’s for nobody, and must not give another. */
  async #pass(content: Content | undefined, exchange: Exchange): Promise<void> {
    const { question, request, response } = exchange;
    if (question.part === 'mirror') return refuse(response, ASK_AGAIN);
    if (content?.kind === 'manifest' && (await this.#served?.manifest(content, request.headers, response)))
      return this.#metrics.manifestServed();
    return this.#forward(exchange);
  }

  /** As nginx would have: streamed in both directions. A body that nobody reads would only hold a connection. */
  async #forward({ question, request, response }: Exchange): Promise<void> {
    const { method, uri } = question;
    const length = request.headers['content-length'];
    const headers = forwarded(request.headers);
    const sized = length === undefined ? headers : { ...headers, 'content-length': length };
    if (!BRINGS_DATA.has(method)) request.resume();
    const answer = await this.#upstream.ask(
      BRINGS_DATA.has(method) ? { method, uri, headers: sized, body: request } : { method, uri, headers },
    );
    response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
    await pipeline(answer, response);
  }
}
