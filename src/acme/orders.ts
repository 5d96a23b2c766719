import { isIP } from 'node:net';
import { type Authorization, type Client, crypto, type Order } from 'acme-client';
import { canonicalName } from '../certificates/certificate.ts';
import type { Clock } from '../system/clock.ts';
import { retryAfterOf } from './http.ts';
import { AcmeProblem, isInternal, isProblem, readProblem } from './problem.ts';
import { persistently } from './retry.ts';

/** The CA looks at a challenge within seconds. What takes longer than this is tried again later. */
const PATIENCE = 90_000;
/** Bounds for the server's advice when to ask again. */
const SHORTEST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;
/** Without advice: quickly at first, since most answers are there at once. */
const FIRST_PAUSES = [250, 500, 1_000, 2_000] as const;

export interface NewOrder {
  readonly names: readonly string[];
  /** draft-ietf-acme-profiles */
  readonly profile: string | undefined;
  /** ARI's name of the certificate that the new one takes the place of (RFC 9773 section 5). */
  readonly replaces: string | undefined;
}

/** One account's orders at one CA, request by request (RFC 8555 section 7.4). Each throws AcmeProblem or AcmeUnreachable. */
export class Orders {
  readonly #client: Client;
  readonly #clock: Clock;

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  create({ names, profile, replaces }: NewOrder): Promise<Order> {
    const order = {
      identifiers: names.map((name) => ({
        type: isIP(name) === 0 ? 'dns' : 'ip',
        value: canonicalName(name),
      })),
      ...(profile === undefined ? {} : { profile }),
      ...(replaces === undefined ? {} : { replaces }),
    };
    const hopeless = replaces === undefined ? undefined : isInternal; // better asked without
    return persistently(this.#clock, () => this.#client.createOrder(order), hopeless);
  }

  read(url: string): Promise<Order> {
    return persistently(this.#clock, () =>
      this.#client.getOrder({ url, status: 'pending', identifiers: [], authorizations: [], finalize: '' }),
    );
  }

  /** Who has to prove what, one after the other: a CA counts what comes at once. */
  async authorizations(order: Order): Promise<Authorization[]> {
    const all: Authorization[] = [];
    for (const url of order.authorizations) all.push(await this.#authorization(url));
    return all;
  }

  /** `token.thumbprint` (RFC 8555 section 8.1), whatever the type of the challenge. */
  keyAuthorization(token: string): Promise<string> {
    return this.#client.getChallengeKeyAuthorization({ type: 'http-01', token, url: '', status: 'pending' });
  }

  /** Tells the CA to look. */
  async respond({ url }: Authorization, challenge: Authorization['challenges'][number]): Promise<void> {
    try {
      await persistently(this.#clock, () => this.#client.completeChallenge(challenge));
    } catch (error) {
      // It may have heard already, only its answer got lost: then it refuses to be told twice.
      if (!(error instanceof AcmeProblem)) throw error;
      const { challenges } = await this.#authorization(url);
      if (challenges.find((each) => each.url === challenge.url)?.status === 'pending') throw error;
    }
  }

  /** Waits until an authorization is valid. @throws AcmeProblem with what the CA saw, also when it is too slow */
  async authorized(url: string): Promise<void> {
    const authorization = await this.#until(
      () => this.#authorization(url),
      ({ status }) => status !== 'pending',
    );
    if (authorization.status === 'valid') return;
    const failed = authorization.challenges.find((each) => each.status === 'invalid');
    const problem = readProblem(
      403,
      failed?.error ?? { detail: `the authorization is ${authorization.status}` },
    );
    throw new AcmeProblem({ ...problem, detail: `${authorization.identifier.value}: ${problem.detail}` });
  }

  /** Waits until every authorization has arrived in the order. */
  ready(order: Order): Promise<Order> {
    return this.#until(
      () => this.read(order.url),
      ({ status }) => status !== 'pending',
    );
  }

  /** Sends the request for signature and waits for the certificate. `key` is PEM. */
  async finalize(order: Order, names: readonly string[], key: string): Promise<Order> {
    const [, csr] = await crypto.createCsr({ altNames: names.map(canonicalName) }, key);
    await persistently(this.#clock, () => this.#client.finalizeOrder(order, csr)).catch((error: unknown) => {
      // It signs already, only its answer got lost.
      if (!isProblem(error, 'orderNotReady')) throw error;
    });
    return this.issued(order);
  }

  issued(order: Order): Promise<Order> {
    return this.#until(
      () => this.read(order.url),
      ({ status }) => status !== 'processing' && status !== 'ready',
    );
  }

  /** The chain of a valid order, PEM. */
  download(order: Order): Promise<string> {
    return persistently(this.#clock, () => this.#client.getCertificate(order));
  }

  async #authorization(url: string): Promise<Authorization> {
    const order = {
      url: '',
      status: 'pending',
      identifiers: [],
      authorizations: [url],
      finalize: '',
    } as const;
    const [authorization] = await persistently(this.#clock, () =>
      this.#client.getAuthorizations({ ...order, identifiers: [], authorizations: [url] }),
    );
    if (authorization === undefined) throw new Error('acme-client gave no authorization');
    return authorization;
  }

  async #until<T extends object>(look: () => Promise<T>, settled: (item: T) => boolean): Promise<T> {
    const deadline = this.#clock.now().getTime() + PATIENCE;
    for (let count = 0; ; count += 1) {
      const item = await look();
      if (settled(item)) return item;
      const now = this.#clock.now().getTime();
      if (now >= deadline) {
        const seconds = PATIENCE / 1000;
        throw new AcmeProblem({
          ...readProblem(504, ''),
          detail: `the CA did not decide within ${seconds} s`,
        });
      }
      const advised = retryAfterOf(item)?.getTime();
      const pause =
        advised === undefined
          ? (FIRST_PAUSES[count] ?? FIRST_PAUSES[3])
          : Math.min(LONGEST_PAUSE, Math.max(SHORTEST_PAUSE, advised - now));
      await this.#clock.sleep(Math.min(pause, deadline - now));
    }
  }
}
