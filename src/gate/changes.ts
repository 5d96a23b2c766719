import type { ServerResponse } from 'node:http';
import { hasImmutableTags } from '../access/rights.ts';
import { digestOf } from '../registry/digest.ts';
import type { Audit } from './audit.ts';
import type { Task } from './decide.ts';
import { type Exchange, endToEnd, forwarded, readBody, refuse, send } from './exchange.ts';
import type { Allowed } from './judge.ts';
import { deleteProblem, pushProblem } from './manifests.ts';
import { type About, note, noteRefusal } from './noted.ts';
import type { Question } from './question.ts';
import type { Refusal } from './refusal.ts';
import { Room } from './room.ts';
import type { Reference } from './route.ts';
import type { Rules } from './rulebook.ts';
import type { Stored } from './stored.ts';
import { Turns } from './turns.ts';
import type { Upstream } from './upstream.ts';

type Push = Task & { readonly kind: 'push-manifest' };
type Delete = Task & { readonly kind: 'delete' };

/** distribution's own limit (registry/handlers/manifests.go, maxManifestBodySize). */
const LARGEST_MANIFEST = 4 * 1024 * 1024;
/** Manifests have some kB. Whoever sends hundreds of the largest, and slowly, is not to take the memory of all. */
const MANIFESTS_OF_A_USER = 16 * LARGEST_MANIFEST;
const NO_ROOM: Refusal = {
  kind: 'unavailable',
  seconds: 5,
  because: 'you are pushing too many large manifests at once',
};

interface ChangeParts {
  readonly upstream: Upstream;
  readonly audit: Audit;
  /** What has to hear of each change. */
  readonly stored: Stored | undefined;
}

/** What changes names goes through the gate: it knows the digest, the outcome, and what must not change. */
export class Changes {
  readonly #upstream: Upstream;
  readonly #audit: Audit;
  readonly #stored: Stored | undefined;
  /** An immutable tag is looked at and written, or deleted, by one at a time. */
  readonly #turns = new Turns();
  readonly #room = new Room(MANIFESTS_OF_A_USER);

  constructor({ upstream, audit, stored }: ChangeParts) {
    this.#upstream = upstream;
    this.#audit = audit;
    this.#stored = stored;
  }

  async push(task: Push, allowed: Allowed, exchange: Exchange): Promise<void> {
    const { who } = allowed.caller;
    const size = Math.min(Number(exchange.request.headers['content-length'] ?? Infinity), LARGEST_MANIFEST);
    const answered = await this.#room.within(who.kind === 'user' ? who.name : '', size, async () => {
      await this.#pushNow(task, allowed, exchange);
      return true;
    });
    if (answered === undefined) refuse(exchange.response, NO_ROOM);
  }

  async #pushNow(
    { repository, reference }: Push,
    { caller, rules }: Allowed,
    { question, request, response }: Exchange,
  ): Promise<void> {
    const manifest = await readBody(request, LARGEST_MANIFEST);
    if (manifest === undefined) return refuse(response, { kind: 'too-large', limit: LARGEST_MANIFEST });
    await this.#inTurn(rules, repository, async () => {
      const problem = await pushProblem(this.#upstream, rules, caller.who, {
        repository,
        reference,
        manifest,
      });
      if (problem !== undefined) {
        noteRefusal(this.#audit, problem, caller, question);
        return refuse(response, problem);
      }
      const status = await this.#relay(question, forwarded(request.headers), manifest, response);
      note(this.#audit, 'push', caller, question, {
        repository,
        tag: reference.kind === 'tag' ? reference.tag : undefined,
        digest: digestOf(manifest),
        status,
      });
    });
  }

  async delete(
    { repository, reference }: Delete,
    { caller, rules }: Allowed,
    { question, request, response }: Exchange,
  ): Promise<void> {
    await this.#inTurn(rules, repository, async () => {
      const problem = await deleteProblem(this.#upstream, rules, caller.who, { repository, reference });
      if (problem !== undefined) {
        noteRefusal(this.#audit, problem, caller, question);
        return refuse(response, problem);
      }
      const status = await this.#relay(question, forwarded(request.headers), undefined, response);
      note(this.#audit, 'delete', caller, question, { repository, ...withoutKind(reference), status });
    });
  }

  /** Where no tag is immutable nobody has to wait for anybody. */
  #inTurn({ policy }: Rules, repository: string, work: () => Promise<void>): Promise<void> {
    return hasImmutableTags(policy, repository) ? this.#turns.inTurn(repository, work) : work();
  }

  /** Without the query: by distribution-spec's `?tag=` a push by digest would write tags that nobody has looked at. */
  async #relay(
    { method, uri }: Question,
    headers: Record<string, string>,
    body: Buffer | undefined,
    response: ServerResponse,
  ): Promise<number> {
    const answer = await this.#upstream
      .read({
        method,
        uri: uri.replace(/\?.*/, ''),
        headers,
        ...(body === undefined ? {} : { body }),
      })
      .finally(() => this.#stored?.changed());
    send(response, answer.status, endToEnd(answer.headers), answer.body);
    return answer.status;
  }
}

function withoutKind(reference: Reference): About {
  return reference.kind === 'tag' ? { tag: reference.tag } : { digest: reference.digest };
}
