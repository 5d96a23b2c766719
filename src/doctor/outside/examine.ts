import { createHash } from 'node:crypto';
import { Failure, fetchFailureOf } from '../../errors.ts';
import type { Credentials, Trust } from '../../registry/client.ts';
import type { Clock } from '../../system/clock.ts';
import { atOnce, type Check, inTurn, type Result, type Told } from '../check.ts';
import { PATH_CHECKS } from '../checks.ts';
import type { Finding } from '../finding.ts';
import { type Visit, visitOf } from '../path/visit.ts';
import type { Address } from './address.ts';
import { FACADE_CHECKS, lookFromOutside, type Subject } from './subject.ts';
import { tidyUp } from './tidy.ts';

/** A registry on another machine, and what whoever asks has to bring along. */
export interface Asked {
  readonly address: Address;
  readonly trust: Trust;
  /** Without one, what needs a login is left out, and said. */
  readonly login: Login | undefined;
  /** Where it pushes; without it the doctor's own. */
  readonly repository?: string;
  readonly clock: Clock;
  /** Leaves out what moves much data. */
  readonly quick: boolean;
  /** Names of checks; none is all. */
  readonly only: readonly string[];
}

export type Login =
  /** A person's, who may be wrong, and may do less than all. */
  | { readonly kind: 'given'; readonly credentials: Credentials }
  /** Made for this by the machine itself, which takes away what is noted there. */
  | {
      readonly kind: 'made';
      readonly credentials: Credentials;
      readonly note: (digest: string) => Promise<void>;
      /** Why nothing large is to be pushed. */
      readonly noRoom: string | undefined;
    };

export function outsideCheckNames(): readonly string[] {
  return [...FACADE_CHECKS, ...PATH_CHECKS].map(({ name }) => name);
}

/** Looks at a registry as a client elsewhere does. Nothing of that client is needed but this process. */
export async function examineFromOutside(asked: Asked, told: Told): Promise<Result[]> {
  const { address, trust, clock, quick, only } = asked;
  const chosen = <C>(checks: readonly Check<C>[]) =>
    checks
      .filter(({ name, slow }) => (only.length === 0 ? !(quick && slow === true) : only.includes(name)))
      .map(fromAfar);
  told.waiting('dns', address.name);
  const subject = await lookFromOutside(address, trust, clock);
  const results = await atOnce(chosen(FACADE_CHECKS), subject, told);
  const path = chosen(PATH_CHECKS);
  if (path.length === 0) return results;
  const pushed: string[] = [];
  const visit = visitFrom(subject, asked, pushed);
  // The login says whether there is anybody, and who stands in front.
  const all = path.some(({ name }) => name === 'login') ? path : [...chosenLogin(), ...path];
  results.push(...(await inTurn(all, visit, told)));
  const tidied = await tidyUp(visit, pushed);
  if (tidied === undefined) return results;
  const result: Result = { name: 'leavings', group: 'Path of a client', finding: tidied };
  told.found(result);
  return [...results, result];
}

function chosenLogin(): Check<Visit>[] {
  return PATH_CHECKS.filter(({ name }) => name === 'login').map(fromAfar);
}

function visitFrom(
  { url, way, endpoint, unsafe, clock }: Subject,
  { login, repository }: Asked,
  pushed: string[],
): Visit {
  const used = unsafe === undefined ? login : undefined;
  const visit = visitOf({
    clock,
    endpoints: { url, detour: way.detour && `asked at ${way.host}`, distrust: undefined },
    ...(repository === undefined ? {} : { repository }),
    outer: { endpoint, credentials: used?.credentials },
    login: used?.kind,
    inside: undefined,
    redirected: undefined,
    fetched: fetchDigest,
    note: async (digest) => {
      pushed.push(digest);
      if (used?.kind === 'made') await used.note(digest);
    },
    noRoom: used?.kind === 'made' ? used.noRoom : undefined,
  });
  if (used === undefined) visit.blocked = unsafe ?? 'there is no login: --user NAME';
  return visit;
}

/** As clients follow a redirect to a bucket: with the trust of this machine. */
async function fetchDigest(location: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  try {
    const { body, status } = await fetch(location, { signal });
    if (status !== 200) throw new Error(`it answers ${status}`);
    for await (const piece of body ?? []) hash.update(piece);
  } catch (error) {
    const origin = URL.canParse(location) ? new URL(location).origin : 'nowhere'; // what follows it is as good as a key
    throw new Failure(
      'redirect-unreachable',
      `Clients are sent to ${origin} for layers, and from here that fails: ${fetchFailureOf(error)}.`,
      'On that machine: S3_REDIRECT=false in .env, then npm run init-tls (docs/storage.md)',
    );
  }
  return `sha256:${hash.digest('hex')}`;
}

/** What is to be done is to be done there, and not by this process. */
function fromAfar<C>(check: Check<C>): Check<C> {
  return {
    ...check,
    run: async (context, turn) => {
      const { fix, ...finding }: Finding = await check.run(context, turn);
      return fix === undefined ? finding : { ...finding, fix: { say: there(fix.say) } };
    },
  };
}

function there(say: string): string {
  const lines = say.split('\n');
  return lines
    .map((line) => (/^(docker|npm|sudo) /.test(line) ? `On that machine: ${line}` : line))
    .join('\n');
}
