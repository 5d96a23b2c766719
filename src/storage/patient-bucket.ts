import type { Bucket } from '../settings/storage.ts';
import type { Clock } from '../system/clock.ts';
import { type Answer, type Ask, openBucket } from './bucket-client.ts';
import { type Attempt, refusedByBucket, silentBucket } from './bucket-failure.ts';

/** A server that is busy for a moment says so by 503. */
const TRIES = 4;
const BETWEEN_TRIES = 500;

/** Asks a bucket, and answers only what is a success. `attempt` is what to call it when it is none. */
export type Expect = (attempt: Attempt, ...question: Parameters<Ask>) => Promise<Answer>;

/** @throws Failure `s3-…` from each question: one code for each thing that can be wrong, with its remedy */
export async function openPatiently(bucket: Bucket, clock: Clock): Promise<Expect> {
  const ask = patient(await openBucket(bucket, clock), clock);
  return async (attempt, ...question) => {
    let answer: Answer;
    try {
      answer = await ask(...question);
    } catch (error) {
      throw silentBucket(bucket, error);
    }
    if ((answer.status >= 200 && answer.status < 300) || attempt.mayBeMissing?.(answer) === true)
      return answer;
    throw refusedByBucket(bucket, attempt, answer, clock.now());
  };
}

function patient(ask: Ask, clock: Clock): Ask {
  return async (...question) => {
    for (let tried = 1; ; tried += 1) {
      const answer = await ask(...question);
      if (answer.status < 500 || answer.status === 501 || tried === TRIES) return answer;
      await clock.sleep(BETWEEN_TRIES * tried);
    }
  };
}
