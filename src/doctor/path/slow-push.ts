import { repositoryFolder } from '../../inventory/layout.ts';
import { openTree } from '../../inventory/open.ts';
import { sizeInWords } from '../../low-water.ts';
import type { Clock } from '../../system/clock.ts';
import type { Check } from '../check.ts';
import { broken, type Finding, fine, skipped, unknown, warning } from '../finding.ts';
import { cureFor, type Headers, hopIn } from './hop.ts';
import { RandomBody } from './random-body.ts';
import { locationOf, type Outcome, outcomeOf, start } from './upload.ts';
import { askInner, type Visit } from './visit.ts';

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
  readonly hop: string | undefined;
  /** Headers of an answer by our own nginx. */
  readonly own: Headers;
}

export const slowPushCheck: Check<Visit> = {
  name: 'slow-push',
  group: 'Path of a client',
  within: 60_000, // it takes twelve seconds
  slow: true,
  run: async (visit, { report, signal }) => {
    if (visit.blocked !== undefined) return skipped(visit.blocked);
    const { clock, settings } = visit.context;
    const body = new RandomBody(2 * HALF);
    await visit.leavings.note(body.digest);
    const way = { speaker: visit.outer, repository: visit.repository, signal };
    let arrived: number | undefined;
    const outcome = await outcomeOf(async (ask) => {
      const started = await ask(202, start(visit));
      const path = locationOf(started);
      const look = async () => {
        report('is what was sent there already');
        arrived = settings.storage.kind === 's3' ? undefined : await arrivedOf(visit, path);
      };
      const pieces = slowly(body, clock, look);
      const headers = { 'content-type': 'application/octet-stream' };
      const patched = await ask(202, { method: 'PATCH', path, headers, body: pieces });
      await ask(204, { method: 'DELETE', path: locationOf(patched) });
    }, way);
    const own = (await askInner(visit, { method: 'GET', path: '/v2/' }, signal))?.headers ?? {};
    return judgeSlow({ outcome, sent: HALF, arrived, hop: visit.hop, own });
  },
};

export function judgeSlow({ outcome, sent, arrived, hop: known, own }: SlowFacts): Finding {
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
  if (arrived === undefined)
    return unknown('goes through; whether a hop holds it back can’t be seen in a bucket');
  if (arrived > 0) return fine(`${sizeInWords(arrived)} of ${sizeInWords(sent)} were there before the end`);
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

/** distribution writes an upload to its file as it comes. */
async function arrivedOf({ context, repository }: Visit, location: string): Promise<number | undefined> {
  const uuid = /\/blobs\/uploads\/([0-9a-f-]+)/i.exec(location)?.[1];
  const tree = await openTree(context.settings, context.clock);
  const facts = await tree.facts(`${repositoryFolder(repository)}/_uploads/${uuid}/data`);
  return facts?.bytes ?? 0;
}
