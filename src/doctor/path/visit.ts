import { DOCTOR_REPOSITORY } from '../../access/prover.ts';
import { CutOff, exchange, type Question, type Reply, type Speaker } from '../../registry/exchange.ts';
import { onceKnown } from '../../registry/known.ts';
import type { Clock } from '../../system/clock.ts';
import type { Endpoints } from './endpoints.ts';
import type { RandomBody } from './random-body.ts';

const MIB = 1024 ** 2;
/** Cloudflare's free plan takes 100 MB, and so do many who copied that. */
export const LARGE = 128 * MIB;
/** How Moorage's own nginx calls itself, for those who can't ask it past whatever is in front. */
const OWN = { server: 'nginx' };

/** A client's visit to the registry, from the machine itself or from another one. */
export interface Visit {
  readonly clock: Clock;
  readonly endpoints: Pick<Endpoints, 'url' | 'detour' | 'distrust'>;
  readonly repository: string;
  /** Through the public address. */
  readonly outer: Speaker;
  /** Made for this visit, and right once it is known; or given by a person, who may be wrong. `undefined`: there is none. */
  readonly login: 'made' | 'given' | undefined;
  /** What only the machine itself can look at. */
  readonly inside: Inside | undefined;
  /** Clients are sent elsewhere for blobs; `undefined`: not known before one is asked for. */
  readonly redirected: boolean | undefined;
  /** The digest of what is found where clients are sent for a blob. */
  readonly fetched: (location: string, signal: AbortSignal) => Promise<string>;
  /** Writes down what is about to be pushed, for whoever takes it away again. */
  readonly note: (digest: string) => Promise<void>;
  /** Why nothing large is to be pushed; `undefined`: there is room. */
  readonly noRoom: string | undefined;
  /** Why there is nobody to visit; found by the first check. */
  blocked: string | undefined;
  /** Who stands in front, by name, once it is known. */
  hop: string | undefined;
  /** A layer that was pushed, for those who come after. */
  pushed: { readonly body: RandomBody } | undefined;
  /** The digest of a manifest with that layer. */
  manifest: string | undefined;
}

interface Inside {
  /** Moorage's own nginx, past whatever is in front. */
  readonly inner: Speaker;
  /** Bytes of an upload, by its location, that the registry has by now; `undefined`: it can't be seen. */
  readonly arrived: (location: string) => Promise<number | undefined>;
}

type Given = Omit<Visit, 'blocked' | 'hop' | 'pushed' | 'manifest' | 'repository'> & {
  readonly repository?: string;
};

/** A visit that begins. */
export function visitOf(given: Given): Visit {
  const nothingYet = { blocked: undefined, hop: undefined, pushed: undefined, manifest: undefined };
  return { repository: DOCTOR_REPOSITORY, ...given, ...nothingYet };
}

/** The same question to our own nginx; `undefined`: it does not answer, or it can't be asked from here. */
export async function askInner({ inside }: Pick<Visit, 'inside'>, question: Question, signal: AbortSignal) {
  if (inside === undefined) return undefined;
  try {
    return await exchange(inside.inner, question, { signal });
  } catch (error) {
    if (error instanceof CutOff) return undefined;
    throw error;
  }
}

/** Headers of an answer by our own nginx. */
export async function ownHeaders(visit: Visit, signal: AbortSignal): Promise<Reply['headers']> {
  if (visit.inside === undefined) return OWN;
  return (await askInner(visit, { method: 'GET', path: '/v2/' }, signal))?.headers ?? {};
}

/** Waits until a login that was made just now is known; one that was given is asked once. The answer to the last try. */
export function loggedIn({ outer, clock, login }: Visit, signal: AbortSignal): Promise<Reply> {
  return onceKnown(
    clock,
    () => exchange(outer, { method: 'GET', path: '/v2/' }, { signal }),
    ({ status }) => status !== 401 || login !== 'made',
  );
}
