import { randomBytes } from 'node:crypto';
import { Failure } from '../errors.ts';
import type { Bucket } from '../settings/storage.ts';
import type { Clock } from '../system/clock.ts';
import { originOf } from './bucket-client.ts';
import type { Attempt } from './bucket-failure.ts';
import { openPatiently } from './patient-bucket.ts';

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
  const expect = await openPatiently(bucket, clock);
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
