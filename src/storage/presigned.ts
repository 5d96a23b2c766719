import { get as getPlainly } from 'node:http';
import { get } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { Failure } from '../errors.ts';
import type { Bucket } from '../settings/storage.ts';
import { originOf, trustOf } from './bucket-client.ts';
import { silentBucket } from './bucket-failure.ts';

const ANSWER_WITHIN = 30_000;

/**
 * Fetches what a presigned URL leads to. The URL is as good as a key for some minutes, so no message shows it.
 * @throws Failure `s3-…`
 */
export async function fetchPresigned(location: string, bucket: Bucket): Promise<Buffer> {
  const url = new URL(location);
  const trust = await trustOf(bucket);
  const { status, body } = await fetched(url, trust).catch((error) => {
    throw silentBucket(bucket, error);
  });
  if (status === 200) return body;
  throw new Failure(
    's3-redirect-broken',
    `The registry sent to ${url.origin} for a blob, and that answered ${status}.`,
    `Check that ${originOf(bucket)} takes presigned URLs and sees the Host header as clients send it, or set S3_REDIRECT=false.`,
  );
}

function fetched(url: URL, trust: { readonly ca?: string[] }): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const options = { agent: false, signal: AbortSignal.timeout(ANSWER_WITHIN) } as const;
    const asked = url.protocol === 'http:' ? getPlainly(url, options) : get(url, { ...options, ...trust });
    asked.once('error', reject);
    asked.once('response', (response) => {
      buffer(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
  });
}
