import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { may } from '../access/rights.ts';
import { unreachable } from '../errors.ts';
import { digestOf } from '../registry/digest.ts';
import type { Clock } from '../system/clock.ts';
import type { Audit, AuditEvent } from './audit.ts';
import { listRepositories, readPage } from './catalog.ts';
import type { Task } from './decide.ts';
import { endToEnd, forwarded, readBody, refuse, send } from './exchange.ts';
import type { Caller } from './identify.ts';
import type { Judgement, Question } from './judge.ts';
import { deleteProblem, pushProblem } from './manifests.ts';
import { type About, worthNoting } from './noted.ts';
import { type Passes, passChallenge } from './passes.ts';
import { answerTo, type Refusal } from './refusal.ts';
import { Room } from './room.ts';
import type { Reference } from './route.ts';
import type { Rules } from './rulebook.ts';
import { Turns } from './turns.ts';
import type { Upstream } from './upstream.ts';

/** distribution's own limit (registry/handlers/manifests.go, maxManifestBodySize). */
const LARGEST_MANIFEST = 4 * 1024 * 1024;
/** Manifests have some kB. Whoever sends hundreds of the largest, and slowly, is not to take the memory of all. */
const MANIFESTS_OF_A_USER = 16 * LARGEST_MANIFEST;
const NO_ROOM: Refusal = {
  kind: 'unavailable',
  seconds: 5,
  because: 'you are pushing too many large manifests at once',
};

/**
 * Milliseconds that whoever guesses has to wait for the answer, right after the guess and while throttled: what keeps
 * a flood from taking the machine is that each of its connections asks once in that time.
 */
const GUESS_COSTS = 1_000;
const GUESSED = new Set<Refusal['kind']>(['wrong-login', 'throttled']);
/** Beyond it answers come at once: waiting costs a connection of nginx. */
const MOST_WAITING = 400;

/** A request that nginx left to the gate, with its body still to come. */
export interface Exchange {
  readonly question: Question;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

interface Allowed {
  readonly caller: Caller;
  readonly rules: Rules;
}

type Push = Task & { readonly kind: 'push-manifest' };

/** What the gate answers itself: refusals, and whatever changes a name or shows names. */
export class Answers {
  readonly #upstream: Upstream;
  readonly #audit: Audit;
  readonly #clock: Clock;
  readonly #passes: Passes;
  #waiting = 0;
  /** An immutable tag is looked at and written, or deleted, by one at a time. */
  readonly #turns = new Turns();
  readonly #room = new Room(MANIFESTS_OF_A_USER);

  constructor(
    { upstream, audit, clock }: { upstream: Upstream; audit: Audit; clock: Clock },
    passes: Passes,
  ) {
    this.#passes = passes;
    this.#upstream = upstream;
    this.#audit = audit;
    this.#clock = clock;
  }

  async give(judgement: Judgement, exchange: Exchange): Promise<void> {
    if (judgement.kind === 'refused') {
      this.#noteRefusal(judgement.refusal, judgement.caller, exchange.question);
      if (GUESSED.has(judgement.refusal.kind)) await this.#letWait();
      return refuse(exchange.response, judgement.refusal);
    }
    const { decision } = judgement;
    if (decision.kind === 'pass') return this.#forward(exchange);
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
        return this.#pushWithinRoom(task, allowed, exchange);
      case 'delete':
        return this.#delete(task, allowed, exchange);
      case 'upload-without-mount':
        return this.#startUpload(task.repository, exchange);
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

  async #pushWithinRoom(task: Push, allowed: Allowed, exchange: Exchange): Promise<void> {
    const { who } = allowed.caller;
    const size = Math.min(Number(exchange.request.headers['content-length'] ?? Infinity), LARGEST_MANIFEST);
    const answered = await this.#room.within(who.kind === 'user' ? who.name : '', size, async () => {
      await this.#push(task, allowed, exchange);
      return true;
    });
    if (answered === undefined) refuse(exchange.response, NO_ROOM);
  }

  async #push(
    { repository, reference }: Push,
    { caller, rules }: Allowed,
    { question, request, response }: Exchange,
  ): Promise<void> {
    const manifest = await readBody(request, LARGEST_MANIFEST);
    if (manifest === undefined) return refuse(response, { kind: 'too-large', limit: LARGEST_MANIFEST });
    await this.#turns.inTurn(repository, async () => {
      const problem = await pushProblem(this.#upstream, rules, caller.who, {
        repository,
        reference,
        manifest,
      });
      if (problem !== undefined) {
        this.#noteRefusal(problem, caller, question);
        return refuse(response, problem);
      }
      const status = await this.#relay(question, forwarded(request.headers), manifest, response);
      this.#note('push', caller, question, {
        repository,
        tag: reference.kind === 'tag' ? reference.tag : undefined,
        digest: digestOf(manifest),
        status,
      });
    });
  }

  async #delete(
    { repository, reference }: Task & { kind: 'delete' },
    { caller, rules }: Allowed,
    { question, request, response }: Exchange,
  ): Promise<void> {
    await this.#turns.inTurn(repository, async () => {
      const problem = await deleteProblem(this.#upstream, rules, caller.who, { repository, reference });
      if (problem !== undefined) {
        this.#noteRefusal(problem, caller, question);
        return refuse(response, problem);
      }
      const status = await this.#relay(question, forwarded(request.headers), undefined, response);
      this.#note('delete', caller, question, { repository, ...withoutKind(reference), status });
    });
  }

  /** Without the query: by distribution-spec's `?tag=` a push by digest would write tags that nobody has looked at. */
  async #relay(
    { method, uri }: Question,
    headers: Record<string, string>,
    body: Buffer | undefined,
    response: ServerResponse,
  ): Promise<number> {
    const answer = await this.#upstream.read({
      method,
      uri: uri.replace(/\?.*/, ''),
      headers,
      ...(body === undefined ? {} : { body }),
    });
    send(response, answer.status, endToEnd(answer.headers), answer.body);
    return answer.status;
  }

  /** With no word of what the client wanted beyond it, in query or body. */
  async #startUpload(repository: string, { response }: Exchange): Promise<void> {
    const uri = `/v2/${repository}/blobs/uploads/`;
    const answer = await this.#upstream.read({ method: 'POST', uri });
    send(response, answer.status, endToEnd(answer.headers), answer.body);
  }

  /** As nginx would have: streamed in both directions. */
  async #forward({ question, request, response }: Exchange): Promise<void> {
    const { method, uri } = question;
    const length = request.headers['content-length'];
    const headers = {
      ...forwarded(request.headers),
      ...(length === undefined ? {} : { 'content-length': length }),
    };
    const answer = await this.#upstream.ask({ method, uri, headers, body: request });
    response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
    await pipeline(answer, response);
  }

  async #letWait(): Promise<void> {
    if (this.#waiting >= MOST_WAITING) return;
    this.#waiting += 1;
    await this.#clock.sleep(GUESS_COSTS);
    this.#waiting -= 1;
  }

  #noteRefusal(refusal: Refusal, caller: Caller | undefined, question: Question): void {
    const noted = worthNoting(refusal);
    if (noted !== undefined) this.#note(noted.event, caller, question, noted.about);
  }

  #note(event: AuditEvent['event'], caller: Caller | undefined, { address }: Question, about: About): void {
    const user = caller?.who.kind === 'user' ? caller.who.name : null;
    this.#audit.write({ event, user, token: caller?.token, address, ...about });
  }
}

function withoutKind(reference: Reference): About {
  return reference.kind === 'tag' ? { tag: reference.tag } : { digest: reference.digest };
}
