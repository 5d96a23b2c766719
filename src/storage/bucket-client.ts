import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request as requestPlainly } from 'node:http';
import { request } from 'node:https';
import { isIP } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { rootCertificates } from 'node:tls';
import { AwsV4Signer } from 'aws4fetch';
import type { Bucket } from '../settings/storage.ts';
import type { Clock } from '../system/clock.ts';

const ANSWER_WITHIN = 15_000;

export interface Answer {
  readonly status: number;
  readonly bytes: Buffer;
  /** The same as text. */
  readonly body: string;
  /** `<Code>` of an error, as `NoSuchBucket`; empty when there is none. */
  readonly code: string;
  /** The region that an error names as the right one. */
  readonly region: string | undefined;
  /** What the server takes for the time. */
  readonly date: Date | undefined;
}

/** Asks a bucket, each request signed (AWS Signature Version 4). `key` is without the root directory's slash. */
export type Ask = (
  method: 'GET' | 'PUT' | 'DELETE',
  key: string,
  more?: { readonly query?: Readonly<Record<string, string>>; readonly body?: string | Uint8Array },
) => Promise<Answer>;

/** `https://s3.eu-central-1.amazonaws.com`, or what the person named. */
export function originOf({ endpoint, region }: Bucket): string {
  if (endpoint !== undefined) return endpoint.origin;
  return `https://s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}

/** Rejects with the errors of the network and of TLS as they are. */
export async function openBucket(bucket: Bucket, clock: Clock): Promise<Ask> {
  const trust = await trustOf(bucket);
  return async (method, key, { query = {}, body = '' } = {}) => {
    const url = urlOf(bucket, key);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const signed = await new AwsV4Signer({
      method,
      url: url.href,
      headers: { 'x-amz-content-sha256': createHash('sha256').update(body).digest('hex') },
      ...(body.length === 0 ? {} : { body }),
      accessKeyId: bucket.accessKey,
      secretAccessKey: bucket.secretKey.reveal(),
      service: 's3',
      region: bucket.region,
      datetime: clock
        .now()
        .toISOString()
        .replace(/[:-]|\.\d{3}/g, ''),
    }).sign();
    return send(method, signed.url, Object.fromEntries(signed.headers), body, trust);
  };
}

/** What node:https takes: without S3_CA_BUNDLE the CAs that Node knows. */
export async function trustOf({ trust }: Bucket): Promise<{ readonly ca?: string[] }> {
  return trust === undefined ? {} : { ca: [...rootCertificates, await readFile(trust, 'utf8')] };
}

function urlOf(bucket: Bucket, key: string): URL {
  const url = new URL(originOf(bucket));
  if (!bucket.pathStyle) url.hostname = `${bucket.bucket}.${url.hostname}`;
  url.pathname = bucket.pathStyle ? `/${bucket.bucket}${key === '' ? '' : `/${key}`}` : `/${key}`;
  return url;
}

function send(
  method: string,
  url: URL,
  headers: Record<string, string>,
  body: string | Uint8Array,
  trust: { readonly ca?: string[] },
): Promise<Answer> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const options = {
    method,
    host,
    port: url.port || (url.protocol === 'https:' ? 443 : 80),
    path: `${url.pathname}${url.search}`,
    headers: { ...headers, host: url.host, 'content-length': Buffer.byteLength(body) },
    agent: false,
    signal: AbortSignal.timeout(ANSWER_WITHIN),
  } as const;
  return new Promise((resolve, reject) => {
    const asked =
      url.protocol === 'http:'
        ? requestPlainly(options)
        : request({ ...options, ...trust, servername: isIP(host) === 0 ? host : '' });
    asked.once('error', reject);
    asked.once('response', (response) => {
      const { statusCode: status = 0, headers: said } = response;
      const named = said['x-amz-bucket-region'];
      buffer(response).then((bytes) => {
        const content = bytes.toString();
        resolve({
          status,
          bytes,
          body: content,
          code: element(content, 'Code') ?? '',
          region: (typeof named === 'string' ? named : undefined) ?? element(content, 'Region'),
          date: said.date === undefined ? undefined : new Date(said.date),
        });
      }, reject);
    });
    asked.end(body);
  });
}

/** Of S3's error bodies, which are flat. */
function element(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}
