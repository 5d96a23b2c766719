import { Failure } from '../errors.ts';
import type { Certificate } from './certificate.ts';
import { type Blame, directoryOf, IssuanceFailure, type Issuer } from './issuer.ts';
import { at } from './schedule.ts';
import { moment } from './words.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** How long to leave a CA alone after the 1st, 2nd, 3rd and every further failure in a row. */
const PAUSES = [1 * MINUTE, 10 * MINUTE, 100 * MINUTE, 24 * HOUR] as const;
/** What fails on this machine costs the CA nothing: it is looked at again soon. */
const LONGEST_HERE = 10 * MINUTE;
/** No limit of a CA looks back further than a week; whoever asks for more time has made a mistake. */
const LONGEST_ASKED = 7 * 24 * HOUR;
/** So that those who failed together do not come back together. Share of the pause, either way. */
const SPREAD = 0.1;
/** The end is near: rather ask too often than too late. */
const LAST_SIXTH = { share: 5 / 6, pause: 6 * HOUR } as const;
/** 5 % of the lifetime, or two days: whichever comes first. */
const EMERGENCY = { share: 0.95, left: 48 * HOUR, pause: 1 * HOUR } as const;
/** However short the lifetime is, several tries fit into what is left after the renewal is due. */
const PAUSES_PER_LIFETIME = 12;
/** So many failures in a row are not a CA's bad minute. */
const FAILURES_UNTIL_FALLBACK = 3;
const REHEARSALS = 3;

/** The failures in a row of one undertaking. */
export interface FailureSeries {
  /** What was tried: issuer and names. Another undertaking begins without a past. */
  readonly subject: string;
  readonly count: number;
  /** Those of them that were not this machine's fault: by them a CA is left alone, or the fallback asked. */
  readonly refusals: number;
  readonly since: Date;
  readonly nextAttempt: Date;
  /** The same without what the CA asked for: another CA may be tried from then on. */
  readonly pauseUntil: Date;
  /** URL of the ACME directory that was asked last. */
  readonly directory: string | undefined;
  /** What the other one, asked before, wished for, while that lies ahead. */
  readonly elsewhere: { readonly directory: string | undefined; readonly nextAttempt: Date } | undefined;
  readonly message: string;
  readonly blame: Blame | 'here';
  /** The type of the CA's problem document. */
  readonly problem: string | undefined;
  /** It was the staging server that refused. */
  readonly rehearsal: boolean;
}

type Lifetime = Pick<Certificate, 'notBefore' | 'notAfter'>;

/** The series after one more failure. `random` is from [0, 1). */
export function afterFailure(
  before: FailureSeries | undefined,
  failure: { readonly subject: string; readonly directory?: string | undefined; readonly error: Error },
  current: Lifetime | undefined,
  now: Date,
  random: number,
): FailureSeries {
  const { subject, directory, error } = failure;
  const count = (before?.count ?? 0) + 1;
  const blame = blameOf(error);
  const refusals = (before?.refusals ?? 0) + (blame === 'here' ? 0 : 1);
  const bounds = [longestPause(current, now), ...(blame === 'here' ? [LONGEST_HERE] : [])];
  const pause = Math.min(
    PAUSES[Math.min(blame === 'here' ? count : refusals, PAUSES.length) - 1] ?? PAUSES[3],
    ...bounds,
  );
  const own = new Date(now.getTime() + pause * (1 + SPREAD * (2 * random - 1)));
  const wish = error instanceof IssuanceFailure ? error.retryAfter : undefined;
  const asked = wish && new Date(Math.min(wish.getTime(), now.getTime() + LONGEST_ASKED));
  return {
    subject,
    count,
    refusals,
    since: before?.since ?? now,
    nextAttempt: asked !== undefined && asked > own ? asked : own,
    pauseUntil: own,
    directory,
    elsewhere: wishElsewhere(before, directory, now),
    message: error.message,
    blame,
    problem: error instanceof IssuanceFailure ? error.problem : undefined,
    rehearsal: error instanceof IssuanceFailure && error.rehearsal,
  };
}

/** When the CA of this directory may be asked again: what another one asked for is not its concern. */
export function openAgain(series: FailureSeries, directory: string | undefined): Date {
  const { nextAttempt, pauseUntil, elsewhere } = series;
  if (series.directory === directory) return nextAttempt;
  const asked = elsewhere?.directory === directory ? elsewhere?.nextAttempt : undefined;
  return asked !== undefined && asked > pauseUntil ? asked : pauseUntil;
}

/** Whether the fallback directory is to be asked too: the CA keeps failing, or there is no time to wait for it. */
export function needsFallback(
  series: FailureSeries | undefined,
  current: Lifetime | undefined,
  now: Date,
): boolean {
  if (series === undefined) return false;
  const outOfTime = current !== undefined && now >= at(current, LAST_SIXTH.share);
  const theirs = series.blame !== 'here' && series.blame !== 'validation';
  return theirs && (outOfTime || series.refusals >= FAILURES_UNTIL_FALLBACK);
}

/** Turn about: a fallback that never works must not keep a CA that has recovered from being asked. */
export function whoseTurn<I extends Pick<Issuer, 'origin'>>(
  series: FailureSeries,
  issuer: I,
  fallback: I,
): I {
  const open = ({ origin }: I) => openAgain(series, directoryOf(origin));
  const wasFallback = series.directory === directoryOf(fallback.origin);
  const [last, other] = wasFallback ? [fallback, issuer] : [issuer, fallback];
  return open(other) <= open(last) ? other : last;
}

/** The CA's own rules may be broken by a further failure to show that the name is ours: rehearse first, every other time. */
export function needsRehearsal(series: FailureSeries | undefined): boolean {
  return series?.blame === 'validation' && !series.rehearsal;
}

/** A staging server that refuses what is right must not stand in the way for ever. */
export function trustsRehearsal(series: FailureSeries | undefined): boolean {
  return series === undefined || !series.rehearsal || series.refusals < REHEARSALS;
}

/** `one failure since …; next attempt …` */
export function describeSeries({ count, since, nextAttempt }: FailureSeries): string {
  const failures = count === 1 ? 'one failure' : `${count} failures in a row`;
  return `${failures} since ${moment(since)}; next attempt ${moment(nextAttempt)}`;
}

function wishElsewhere(
  before: FailureSeries | undefined,
  directory: string | undefined,
  now: Date,
): FailureSeries['elsewhere'] {
  if (before === undefined) return undefined;
  const other = before.directory === directory ? before.elsewhere : before;
  if (other === undefined || other.directory === directory || other.nextAttempt <= now) return undefined;
  return { directory: other.directory, nextAttempt: other.nextAttempt };
}

function blameOf(error: Error): FailureSeries['blame'] {
  if (error instanceof IssuanceFailure) return error.blame;
  // The next try would order a new one, and the CA counts it.
  return error instanceof Failure && error.code === 'certificate-unfit' ? 'ca' : 'here';
}

function longestPause(current: Lifetime | undefined, now: Date): number {
  if (current === undefined || now >= current.notAfter) return EMERGENCY.pause;
  const lifetime = current.notAfter.getTime() - current.notBefore.getTime();
  const bounds = [lifetime / PAUSES_PER_LIFETIME];
  if (now >= at(current, LAST_SIXTH.share)) bounds.push(LAST_SIXTH.pause);
  const left = current.notAfter.getTime() - now.getTime();
  if (now >= at(current, EMERGENCY.share) || left < EMERGENCY.left) bounds.push(EMERGENCY.pause);
  return Math.min(...bounds);
}
