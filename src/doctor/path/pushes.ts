import { sizeInWords } from '../../low-water.ts';
import type { Check, Turn } from '../check.ts';
import { broken, type Finding, fine, skipped } from '../finding.ts';
import { calledIn, cureFor, type Headers, hopIn } from './hop.ts';
import { RandomBody } from './random-body.ts';
import { type Outcome, pushChunks, pushWhole, type Way } from './upload.ts';
import { LARGE, ownHeaders, type Visit } from './visit.ts';

const CHUNK = 16 * 1024 ** 2;
/** 128 MiB at 2 Mbit/s, which is a line to be content with. */
const TRANSFER_WITHIN = 10 * 60_000;

export const largePushCheck: Check<Visit> = {
  name: 'push',
  group: 'Path of a client',
  within: TRANSFER_WITHIN,
  slow: true,
  run: (visit, turn) => push(visit, turn, 'in one piece', pushWhole),
};

export const chunkedPushCheck: Check<Visit> = {
  name: 'chunks',
  group: 'Path of a client',
  within: TRANSFER_WITHIN,
  slow: true,
  run: (visit, turn) =>
    push(visit, turn, `in chunks of ${sizeInWords(CHUNK)}`, (way, body) => pushChunks(way, body, CHUNK)),
};

type Send = (way: Way, body: RandomBody) => Promise<Outcome>;

async function push(visit: Visit, { report, signal }: Turn, how: string, send: Send): Promise<Finding> {
  if (visit.blocked !== undefined) return skipped(visit.blocked);
  if (visit.noRoom !== undefined) return skipped(visit.noRoom);
  const body = new RandomBody(LARGE);
  await visit.note(body.digest);
  const { repository, clock, inside } = visit;
  const begun = clock.now().getTime();
  const onBytes = (sum: number) => report(`${sizeInWords(sum)} of ${sizeInWords(body.bytes)}`);
  const outcome = await send({ speaker: visit.outer, repository, signal, onBytes }, body);
  if (outcome.kind === 'done') {
    visit.pushed = { body };
    const seconds = (clock.now().getTime() - begun) / 1000;
    return fine(`${sizeInWords(body.bytes)} ${how} in ${seconds.toFixed(1)} s`);
  }
  const own = await ownHeaders(visit, signal);
  if (inside === undefined) return judgePush(outcome, undefined, own, visit.hop);
  report('the same past whatever is in front');
  const inner = await send({ speaker: inside.inner, repository, signal }, body);
  return judgePush(outcome, inner, own, visit.hop);
}

/**
 * Whose fault it is: our own nginx is asked to take the same. What it takes, a hop in front has refused.
 * @param inner `undefined`: it can't be asked from here; then who refused is known if he names himself
 * @param own headers of an answer by our own nginx
 * @param known how the hop in front is called, from an answer that went well
 */
export function judgePush(
  outcome: Outcome,
  inner: Outcome | undefined,
  own: Headers,
  known: string | undefined,
): Finding {
  if (outcome.kind === 'done') return fine('');
  const after = outcome.sent === 0 ? '' : ` after ${sizeInWords(outcome.sent)}`;
  const told =
    outcome.kind === 'refused'
      ? `${outcome.method} was answered with ${outcome.reply.status}${after}`
      : `${outcome.method} was cut off${after} (${outcome.reason})`;
  if (inner?.kind === 'done') {
    const hop = culprit(outcome, own, known);
    return broken(
      `${told} by a hop in front, ${hop ?? 'which does not name itself'}; Moorage’s own nginx takes it`,
      cureFor(hop, troubleOf(outcome)),
    );
  }
  if (outcome.kind === 'refused' && outcome.reply.status === 507)
    return broken(`${told}: the disk is full`, 'Free space; docs/disk-space.md');
  if (inner === undefined) {
    const hop = (outcome.kind === 'refused' ? hopIn(outcome.reply.headers, own) : undefined) ?? known;
    return hop === undefined
      ? broken(told, 'npm run doctor')
      : broken(`${told}, through a hop in front, ${hop}`, cureFor(hop, troubleOf(outcome)));
  }
  if (outcome.kind === 'refused' && outcome.reply.status === 413)
    return broken(
      `${told}, by Moorage’s own nginx`,
      'Take client_max_body_size out of nginx/user.d, then: docker compose restart nginx',
    );
  return broken(`${told}, and so it is without anything in front`, 'docker compose logs registry gate nginx');
}

/** A hop may call itself as our own nginx does. */
function culprit(outcome: Outcome, own: Headers, known: string | undefined): string | undefined {
  if (outcome.kind !== 'refused') return known;
  return hopIn(outcome.reply.headers, own) ?? known ?? calledIn(outcome.reply.headers);
}

/** 413 is a limit; so is a connection that is cut in the middle, as a rule, and 408, 502 and 504 say that somebody waited. */
function troubleOf(outcome: Exclude<Outcome, { kind: 'done' }>): 'limit' | 'time' {
  if (outcome.kind === 'cut') return /time|within/i.test(outcome.reason) ? 'time' : 'limit';
  return [408, 502, 503, 504, 524].includes(outcome.reply.status) ? 'time' : 'limit';
}
