import { sizeInWords } from '../../low-water.ts';
import type { Speaker } from '../../registry/exchange.ts';
import type { Clock } from '../../system/clock.ts';
import type { Check } from '../check.ts';
import { broken, type Finding, fine, skipped, unknown, warning } from '../finding.ts';
import { cureFor, type Headers, hopIn } from './hop.ts';
import { RandomBody } from './random-body.ts';
import { locationOf, type Outcome, outcomeOf, start } from './upload.ts';
import { ownHeaders, type Visit } from './visit.ts';

const KIB = 1024;
/** Two halves of 64 KiB at 20 kB/s: more than what a hop holds by the way, such as nginx's 16 KiB. */
const HALF = 64 * KIB;
const PIECE = 4 * KIB;
const BETWEEN = 200;
/** A laptop that changes networks. Hops that wait for less than that are found; those that wait a minute are not. */
const PAUSE = 5_000;

export interface SlowFacts {
  readonly outcome: Outcome;
  /** Bytes that were sent when the pause ended, and bytes that the registry had then; `undefined`: it can't be seen. */
  readonly sent: number;
  readonly arrived: number | undefined;
  /** The same past whatever is in front, where nothing had arrived. */
  readonly inner: number | undefined;
  readonly hop: string | undefined;
  /** Headers of an answer by our own nginx. */
  readonly own: Headers;
  /** Asked from another machine, which can't see what has arrived. */
  readonly afar: boolean;
}

export const slowPushCheck: Check<Visit> = {
  name: 'slow-push',
  group: 'Path of a client',
  within: 60_000, // it takes twelve seconds, twice
  slow: true,
  run: async (visit, { report, signal }) => {
    if (visit.blocked !== undefined) return skipped(visit.blocked);
    report(`${sizeInWords(2 * HALF)}, slowly and with a pause`);
    const { hop, inside } = visit;
    const { outcome, arrived } = await pushSlowly(visit, visit.outer, signal);
    const stuck = outcome.kind === 'done' && arrived === 0;
    if (stuck) report('the same past whatever is in front');
    const inner =
      stuck && inside !== undefined ? (await pushSlowly(visit, inside.inner, signal)).arrived : undefined;
    const own = await ownHeaders(visit, signal);
    return judgeSlow({ outcome, sent: HALF, arrived, inner, hop, own, afar: inside === undefined });
  },
};

async function pushSlowly(
  visit: Visit,
  speaker: Speaker,
  signal: AbortSignal,
): Promise<{ outcome: Outcome; arrived: number | undefined }> {
  const { clock, repository, inside } = visit;
  const body = new RandomBody(2 * HALF);
  await visit.note(body.digest);
  let arrived: number | undefined;
  const outcome = await outcomeOf(
    async (ask) => {
      const path = locationOf(await ask(202, start(visit)));
      const look = async () => {
        arrived = await inside?.arrived(path);
      };
      const pieces = slowly(body, clock, look);
      const headers = { 'content-type': 'application/octet-stream' };
      const patched = await ask(202, { method: 'PATCH', path, headers, body: pieces });
      await ask(204, { method: 'DELETE', path: locationOf(patched) });
    },
    { speaker, repository, signal },
  );
  return { outcome, arrived };
}

export function judgeSlow({ outcome, sent, arrived, inner, hop: known, own, afar }: SlowFacts): Finding {
  if (outcome.kind !== 'done') {
    const hop = (outcome.kind === 'refused' ? hopIn(outcome.reply.headers, own) : undefined) ?? known;
    const told =
      outcome.kind === 'refused'
        ? `was answered with ${outcome.reply.status}`
        : `was cut off (${outcome.reason})`;
    const by = hop === undefined ? '' : ` by a hop in front, ${hop}`;
    return broken(
      `${outcome.method} that took its time ${told}${by}`,
      hop === undefined ? 'docker compose logs nginx registry' : cureFor(hop, 'time'),
    );
  }
  if (afar) return fine('goes through; whether a hop holds it back shows on that machine itself');
  if (arrived === undefined)
    return unknown('goes through; whether a hop holds it back can’t be seen in a bucket');
  if (arrived > 0) return fine(`${sizeInWords(arrived)} of ${sizeInWords(sent)} were there before the end`);
  if (inner === 0)
    return warning(
      'Moorage’s own nginx holds a whole layer back before it hands it on',
      'Take proxy_request_buffering out of nginx/user.d, then: docker compose restart nginx',
    );
  const hop = known ?? 'which does not name itself';
  return warning(
    `a hop in front, ${hop}, holds a whole layer back before it hands it on: its disk fills, and pushes seem to stop at their end`,
    cureFor(known, 'buffer'),
  );
}

async function* slowly(
  body: RandomBody,
  clock: Clock,
  look: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  let sent = 0;
  for (const whole of body.pieces()) {
    for (let at = 0; at < whole.length; at += PIECE) {
      yield whole.subarray(at, at + PIECE);
      sent += PIECE;
      await clock.sleep(sent === HALF ? PAUSE : BETWEEN);
      if (sent === HALF) await look();
    }
  }
}
