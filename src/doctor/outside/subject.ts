import type { Endpoint, Trust } from '../../registry/client.ts';
import { CutOff, exchange, type Reply } from '../../registry/exchange.ts';
import type { Clock } from '../../system/clock.ts';
import { type Check, SOON } from '../check.ts';
import { type Finding, fine, skipped, together, unknown } from '../finding.ts';
import { judgeClock } from '../machine/clock.ts';
import { type Address, urlOf } from './address.ts';
import { askPlainly, judgePlain } from './plain.ts';
import { judgeShown, lookAtServed, type Shown } from './served.ts';
import { findWay, judgeName, judgePort, type Way } from './way.ts';

/** What is seen of a registry from another machine, before anybody logs in. */
export interface Subject {
  readonly clock: Clock;
  readonly address: Address;
  readonly url: string;
  readonly way: Way;
  /** None where it is without TLS. */
  readonly shown: readonly Shown[];
  /** Whoever proves himself by the trust that was given; where nobody does, whoever answers, and `unsafe` says why. */
  readonly endpoint: Endpoint;
  /** Why no password is to be sent. */
  readonly unsafe: string | undefined;
  /** An answer to nobody in particular; `undefined`: none came. */
  readonly answer: { readonly reply: Reply; readonly at: number } | undefined;
}

export async function lookFromOutside(address: Address, trust: Trust, clock: Clock): Promise<Subject> {
  const plain = trust.kind === 'plain';
  const way = await findWay(address);
  const shown = plain ? [] : await lookAtServed(address, way, trust, clock.now());
  const problem = shown.map(judgeShown).find(({ verdict }) => verdict !== 'fine');
  const unsafe = problem && 'no password is sent there: see `served`';
  const [first] = shown.flatMap(({ served }) => (served.kind === 'shown' ? [served.chain[0]] : []));
  const pinned: Trust =
    first === undefined ? trust : { kind: 'certificate', fingerprint: first.fingerprint256 };
  const endpoint = {
    name: address.name,
    port: address.port,
    host: way.host,
    trust: unsafe === undefined ? trust : pinned,
  };
  const answer = await answerOf(endpoint, clock);
  return { clock, address, url: urlOf(address, plain), way, shown, endpoint, unsafe, answer };
}

/** What needs no login. All is known by now, but what is answered without TLS. */
export const FACADE_CHECKS: readonly Check<Subject>[] = [
  {
    name: 'clock',
    group: 'Machine',
    within: SOON,
    run: async ({ answer, address }) => judgeTime(answer, address.name),
  },
  { name: 'dns', group: 'Name', within: SOON, run: async ({ address, way }) => judgeName(address, way) },
  { name: 'ports', group: 'Name', within: SOON, run: async ({ address, way }) => judgePort(address, way) },
  {
    name: 'http',
    group: 'Name',
    within: SOON,
    run: async ({ address, way, url, answer, endpoint }) => {
      if (endpoint.trust.kind === 'plain') return skipped('no TLS is wanted');
      if (way.tried.length === 0) return skipped('there is no address to ask');
      const port = address.httpPort;
      const plain = port === undefined ? undefined : await askPlainly(address, way.host, port);
      return judgePlain(port, plain, url, answer?.reply.headers['strict-transport-security']);
    },
  },
  {
    name: 'served',
    group: 'Certificate',
    within: SOON,
    run: async ({ shown, endpoint }) =>
      together(
        shown.map(judgeShown),
        skipped(endpoint.trust.kind === 'plain' ? 'no TLS is wanted' : 'nobody answers'),
      ),
  },
];

/** @param answer `at`: this machine's own time, in the middle of question and answer */
export function judgeTime(answer: Subject['answer'], name: string): Finding {
  const theirs = Date.parse(answer?.reply.headers.date ?? '');
  if (answer === undefined) return skipped('nobody answers');
  if (Number.isNaN(theirs)) return unknown(`${name} does not say what time it is`);
  const finding = judgeClock({ host: name, off: answer.at - theirs }, undefined, false);
  if (finding.fix === undefined) return fine('as here');
  return {
    ...finding,
    detail: `this machine is ${finding.detail}`,
    fix: { say: 'On the one that is wrong: sudo timedatectl set-ntp true' },
  };
}

async function answerOf(endpoint: Endpoint, clock: Clock): Promise<Subject['answer']> {
  const begun = clock.now().getTime();
  try {
    const asked = { method: 'GET', path: '/v2/' };
    const reply = await exchange({ endpoint }, asked, { signal: AbortSignal.timeout(SOON) });
    return { reply, at: (begun + clock.now().getTime()) / 2 };
  } catch (error) {
    if (error instanceof CutOff) return undefined;
    throw error;
  }
}
