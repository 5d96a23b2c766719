import { readFileSync } from 'node:fs';
import { type IncomingMessage, Agent as PlainAgent, request as requestPlainly } from 'node:http';
import { Agent, request } from 'node:https';
import { json } from 'node:stream/consumers';
import { createSecureContext, rootCertificates } from 'node:tls';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { messageOf, systemCode } from '../errors.ts';
import type { UpstreamLogin } from '../settings/mirror.ts';
import type { Clock } from '../system/clock.ts';
import { readChallenge } from './challenge.ts';

/** The registry that is mirrored does not answer. */
export class UpstreamAway extends Error {
  override readonly name = 'UpstreamAway';
}

export interface UpstreamParts {
  /** Origin. */
  readonly url: string;
  readonly credentials: UpstreamLogin | undefined;
  /** PEM file beside the public roots. */
  readonly trust: string | undefined;
  readonly clock: Clock;
}

export interface Asked {
  readonly method: 'GET' | 'HEAD';
  /** Path and query. */
  readonly uri: string;
  readonly headers: Readonly<Record<string, string>>;
}

const CONNECT_WITHIN = 5_000;
/** From the request to the head of the answer. A HEAD is about a tag, and who pulls waits for it. */
const HEAD_WITHIN = { HEAD: 10_000, GET: 30_000 };
/** Between two pieces of a body; a slow client holds it up too. */
const SILENT_FOR = 300_000;
/** How long it is not asked again once it did not answer: who pulls what is cached asks several times. */
const AWAY_FOR = 5_000;
const REDIRECTS = 5;
/** Of a token that names no end (distribution, docs/spec/auth/token.md); less what a request takes. */
const TOKEN_LIFE = 60;
const MARGIN = 10;
/** Repositories and origins that are remembered: clients may ask for any names, and an upstream may have tokens for all. */
const REMEMBERED = 1000;

const tokenAnswer = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().optional(),
});

/**
 * Another registry, read as its clients read it: logs in by password or token, whichever it wants, and follows it to
 * where it keeps its blobs, without the login.
 */
export class Upstream {
  readonly #parts: UpstreamParts;
  readonly #agents: { readonly https: Agent; readonly http: PlainAgent };
  /** Authorization headers by repository, and their end in ms. */
  readonly #logins = new LRUCache<string, { readonly header: string; readonly until: number }>({
    max: REMEMBERED,
  });
  /** Until when, in ms, an origin counts as away: the upstream, or one that it leads to. */
  readonly #away = new LRUCache<string, number>({ max: REMEMBERED });

  constructor(parts: UpstreamParts) {
    this.#parts = parts;
    const ca =
      parts.trust === undefined ? undefined : [...rootCertificates, readFileSync(parts.trust, 'utf8')];
    const secureContext = createSecureContext(ca === undefined ? {} : { ca });
    this.#agents = {
      https: new Agent({ keepAlive: true, secureContext }),
      http: new PlainAgent({ keepAlive: true }),
    };
  }

  /**
   * The answer, whatever it is. 401 is one too: the login is wrong, or too little for this.
   * @throws UpstreamAway
   */
  async ask(asked: Asked): Promise<IncomingMessage> {
    const repository = repositoryIn(asked.uri);
    const first = await this.#follow(asked, this.#known(repository));
    if (first.statusCode !== 401) return first;
    const header = await this.#logIn(first.headers['www-authenticate'] ?? '', repository);
    if (header === undefined) return first;
    first.resume();
    return this.#follow(asked, header);
  }

  close(): void {
    this.#agents.https.destroy();
    this.#agents.http.destroy();
  }

  #known(repository: string): string | undefined {
    const login = this.#logins.get(repository);
    if (login === undefined || login.until > this.#parts.clock.now().getTime()) return login?.header;
    this.#logins.delete(repository);
    return undefined;
  }

  async #logIn(challengeHeader: string, repository: string): Promise<string | undefined> {
    const { credentials, clock } = this.#parts;
    const challenge = readChallenge(challengeHeader);
    const basic =
      credentials &&
      `Basic ${Buffer.from(`${credentials.username}:${credentials.password.reveal()}`).toString('base64')}`;
    if (challenge === undefined) return undefined;
    if (challenge.scheme === 'basic') {
      if (basic !== undefined)
        this.#logins.set(repository, { header: basic, until: Number.POSITIVE_INFINITY });
      return basic;
    }
    const realm = URL.canParse(challenge.realm) ? new URL(challenge.realm) : undefined;
    // Whom the upstream names gets the password: never in the open where the upstream itself is not.
    if (
      realm === undefined ||
      (realm.protocol !== 'https:' && realm.protocol !== new URL(this.#parts.url).protocol)
    )
      return undefined;
    const scope = challenge.scope ?? (repository === '' ? undefined : `repository:${repository}:pull`);
    if (challenge.service !== undefined) realm.searchParams.set('service', challenge.service);
    if (scope !== undefined) realm.searchParams.set('scope', scope);
    const answer = await this.#send(realm, 'GET', basic === undefined ? {} : { authorization: basic });
    if (answer.statusCode !== 200) {
      answer.resume();
      return undefined;
    }
    const read = tokenAnswer.safeParse(await json(answer).catch(() => undefined));
    const token = read.data?.token ?? read.data?.access_token;
    if (token === undefined) return undefined;
    const life = Math.max(0, (read.data?.expires_in ?? TOKEN_LIFE) - MARGIN) * 1000;
    const header = `Bearer ${token}`;
    this.#logins.set(repository, { header, until: clock.now().getTime() + life });
    return header;
  }

  async #follow(
    { method, uri, headers }: Asked,
    authorization: string | undefined,
  ): Promise<IncomingMessage> {
    const origin = new URL(this.#parts.url).origin;
    let url = new URL(`${origin}${uri}`);
    for (let redirects = 0; ; redirects += 1) {
      const login = authorization === undefined || url.origin !== origin ? {} : { authorization };
      const answer = await this.#send(url, method, { ...headers, ...login });
      const { location } = answer.headers;
      const elsewhere = [301, 302, 303, 307, 308].includes(answer.statusCode ?? 0) && location !== undefined;
      if (!elsewhere || redirects === REDIRECTS) return answer;
      answer.resume();
      if (!URL.canParse(location, url.href)) throw new UpstreamAway('it leads to what is no URL');
      url = new URL(location, url);
      if (url.protocol !== 'https:' && !origin.startsWith(url.protocol))
        throw new UpstreamAway('it leads to an address that is no https URL');
    }
  }

  #send(
    url: URL,
    method: Asked['method'],
    headers: Readonly<Record<string, string>>,
  ): Promise<IncomingMessage> {
    const { clock } = this.#parts;
    if ((this.#away.get(url.origin) ?? 0) > clock.now().getTime())
      return Promise.reject(new UpstreamAway('it did not answer just now'));
    const plain = url.protocol === 'http:';
    const options = { method, headers: { 'user-agent': 'moorage-mirror', ...headers } };
    return new Promise((resolve, reject) => {
      let answered = false;
      const outgoing = plain
        ? requestPlainly(url, { ...options, agent: this.#agents.http })
        : request(url, { ...options, agent: this.#agents.https });
      const connecting = setTimeout(
        () => outgoing.destroy(new Error(`no connection within ${CONNECT_WITHIN / 1000} s`)),
        CONNECT_WITHIN,
      );
      const connected = () => clearTimeout(connecting);
      outgoing.once('socket', (socket) => {
        if (!socket.connecting) return connected();
        socket.once(plain ? 'connect' : 'secureConnect', connected);
      });
      outgoing.setTimeout(HEAD_WITHIN[method]);
      outgoing.on('timeout', () => outgoing.destroy(new Error('silent for too long')));
      outgoing.on('error', (error) => {
        connected();
        if (answered) return; // the body tells by itself that it is cut
        if (outgoing.reusedSocket && systemCode(error) === 'ECONNRESET')
          return resolve(this.#send(url, method, headers)); // it was closed while nobody used it
        this.#away.set(url.origin, clock.now().getTime() + AWAY_FOR);
        reject(new UpstreamAway(messageOf(error), { cause: error }));
      });
      outgoing.once('response', (answer) => {
        connected();
        answered = true;
        outgoing.setTimeout(SILENT_FOR);
        resolve(answer);
      });
      outgoing.end();
    });
  }
}

/** What a token has to be for; nothing for `/v2/` itself. */
function repositoryIn(uri: string): string {
  return /^\/v2\/(.+)\/(?:manifests|blobs|tags|referrers)\//.exec(uri)?.[1] ?? '';
}
