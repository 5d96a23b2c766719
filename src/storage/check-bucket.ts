import { randomBytes } from 'node:crypto';
import { Failure } from '../errors.ts';
import type { Bucket } from '../settings/storage.ts';
import type { Clock } from '../system/clock.ts';
import { type Answer, type Ask, openBucket, originOf } from './bucket-client.ts';
import { type Attempt, refusedByBucket, silentBucket } from './bucket-failure.ts';

/** A server that is busy for a moment says so by 503. */
const TRIES = 4;
const BETWEEN_TRIES = 500;

const LIST: Attempt = { what: 'list objects', permission: 's3:ListBucket' };
const LIST_UPLOADS: Attempt = {
  what: 'list uploads in parts',
  permission: 's3:ListBucketMultipartUploads',
};
const PUT: Attempt = { what: 'put objects', permission: 's3:PutObject' };
const GET: Attempt = { what: 'get objects', permission: 's3:GetObject' };
const DELETE: Attempt = { what: 'delete objects', permission: 's3:DeleteObject' };

/**
 * Does with one small object what the registry will do with images. Nothing of it stays.
 * @throws Failure `s3-…`: one code for each thing that can be wrong, with its remedy
 */
export async function checkBucket(bucket: Bucket, clock: Clock): Promise<void> {
  const ask = patient(await openBucket(bucket, clock), clock);
  const expect = async (attempt: Attempt, ...question: Parameters<Ask>): Promise<Answer> => {
    let answer: Answer;
    try {
      answer = await ask(...question);
    } catch (error) {
      throw silentBucket(bucket, error);
    }
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw refusedByBucket(bucket, attempt, answer, clock.now());
  };
  const prefix = bucket.rootDirectory === '' ? '' : `${bucket.rootDirectory}/`;
  await expect(LIST, 'GET', '', { query: { 'list-type': '2', 'max-keys': '1', prefix } });
  await expect(LIST_UPLOADS, 'GET', '', { query: { uploads: '', 'max-uploads': '1', prefix } });
  const key = `${prefix}.moorage-probe-${randomBytes(6).toString('hex')}`;
  const body = `Moorage was here: ${key}\n`;
  await expect(PUT, 'PUT', key, { body });
  const { body: came } = await expect(GET, 'GET', key);
  await expect(DELETE, 'DELETE', key);
  if (came === body) return;
  throw new Failure(
    's3-unwell',
    `${originOf(bucket)} gave back something else than what was put there.`,
    'Check that S3_ENDPOINT is the S3 API itself, without a cache in front of it.',
  );
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
