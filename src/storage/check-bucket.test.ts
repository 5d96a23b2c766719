import { createServer, type IncomingMessage, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { listen } from '../../test/support/listening.ts';
import { Secret } from '../secret.ts';
import type { Bucket } from '../settings/storage.ts';
import { checkBucket } from './check-bucket.ts';

const KEY = 'a-secret-key';
let server: Server | undefined;

afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

type Answer = readonly [status: number, body?: string, headers?: Record<string, string>];
const error = (code: string, more = '') => `<Error><Code>${code}</Code>${more}</Error>`;

/** An S3 server that answers `wrong` where it has something to say, and else as it should. */
async function bucketThat(wrong: (request: IncomingMessage) => Answer | undefined): Promise<Bucket> {
  let kept: Buffer = Buffer.alloc(0);
  server = createServer(async (incoming, outgoing) => {
    const body = await buffer(incoming);
    if (incoming.method === 'PUT') kept = body;
    const isObject = incoming.url?.includes('.moorage-probe') === true;
    const [status, text, headers] = wrong(incoming) ?? [
      200,
      incoming.method === 'GET' && isObject ? kept : '',
    ];
    outgoing.writeHead(status, headers).end(text);
  });
  const port = await listen(server);
  return {
    endpoint: { origin: `http://127.0.0.1:${port}`, host: '127.0.0.1', tls: false },
    region: 'us-east-1',
    bucket: 'images',
    accessKey: 'AKIA7',
    secretKey: new Secret(KEY),
    rootDirectory: 'a/b',
    pathStyle: true,
    redirect: false,
    trust: undefined,
  };
}

const check = (bucket: Bucket) => checkBucket(bucket, new FakeClock('2026-11-21T12:00:00Z'));
const failure = async (bucket: Bucket) => {
  const thrown = await check(bucket).then(
    () => undefined,
    (reason) => reason,
  );
  return { code: thrown?.code, told: `${thrown?.message} ${thrown?.remedy}` };
};

test('a bucket that does all that the registry does passes, and is asked within the root directory alone', async () => {
  const asked: string[] = [];
  const bucket = await bucketThat((request) => {
    asked.push(`${request.method} ${request.url}`);
    return undefined;
  });
  await check(bucket);
  expect(asked.map((each) => each.replace(/probe-\w+/, 'probe'))).toEqual([
    'GET /images?list-type=2&max-keys=1&prefix=a%2Fb%2F',
    'GET /images?uploads=&max-uploads=1&prefix=a%2Fb%2F',
    'PUT /images/a/b/.moorage-probe',
    'GET /images/a/b/.moorage-probe',
    'DELETE /images/a/b/.moorage-probe',
  ]);
});

test('every request is signed for the region, and the key itself is in none', async () => {
  const bucket = await bucketThat((request) => {
    const signed = String(request.headers.authorization);
    const good = /^AWS4-HMAC-SHA256 Credential=AKIA7\/20261121\/us-east-1\/s3\/aws4_request/.test(signed);
    return good && !JSON.stringify(request.rawHeaders).includes(KEY) ? undefined : [400];
  });
  await check(bucket);
});

test.each<[Answer, string, RegExp]>([
  [[403, error('InvalidAccessKeyId')], 's3-key', /knows no S3_ACCESS_KEY AKIA7/],
  [[403, error('SignatureDoesNotMatch')], 's3-key', /S3_SECRET_KEY is not that of/],
  [
    [403, error('RequestTimeTooSkewed'), { date: 'Sat, 21 Nov 2026 11:30:00 GMT' }],
    's3-clock',
    /30 minutes ahead of.*timedatectl/,
  ],
  [[404, error('NoSuchBucket')], 's3-no-bucket', /no bucket images at.*S3_BUCKET/],
  [[404, '<html>'], 's3-no-bucket', /the S3 API, not a web console/],
  [
    [400, error('AuthorizationHeaderMalformed', '<Region>eu-west-1</Region>')],
    's3-region',
    /but in eu-west-1.*S3_REGION to eu-west-1/,
  ],
  [
    [301, error('PermanentRedirect'), { 'x-amz-bucket-region': 'eu-north-1' }],
    's3-region',
    /S3_REGION to eu-north-1/,
  ],
  [[403, error('AccessDenied')], 's3-forbidden', /may not list objects.*s3:ListBucket/],
  [[501, error('NotImplemented')], 's3-incapable', /can't list objects/],
  [[503, error('SlowDown')], 's3-unwell', /503 SlowDown/],
])('%j is told as what it is', async (answer, code, told) => {
  const found = await failure(await bucketThat(() => answer));
  expect(found.code).toBe(code);
  expect(found.told).toMatch(told);
  expect(found.told).not.toContain(KEY);
});

test.each([
  ['uploads', 'GET', 's3:ListBucketMultipartUploads'],
  ['.moorage-probe', 'PUT', 's3:PutObject'],
  ['.moorage-probe', 'GET', 's3:GetObject'],
  ['.moorage-probe', 'DELETE', 's3:DeleteObject'],
])('a permission that is missing is named: %s %s', async (part, method, permission) => {
  const denied = (request: IncomingMessage): Answer | undefined =>
    request.method === method && request.url?.includes(part) ? [403, error('AccessDenied')] : undefined;
  const found = await failure(await bucketThat(denied));
  expect(found).toMatchObject({ code: 's3-forbidden', told: expect.stringContaining(permission) });
});

test('a server that is busy for a moment is asked again', async () => {
  let busy = 2;
  await check(await bucketThat(() => (busy-- > 0 ? [503, error('SlowDown')] : undefined)));
});

test('what comes back changed is refused', async () => {
  const stale = (request: IncomingMessage): Answer | undefined =>
    request.method === 'GET' && request.url?.includes('probe') ? [200, 'of yesterday'] : undefined;
  expect(await failure(await bucketThat(stale))).toMatchObject({ code: 's3-unwell' });
});

test('nobody there', async () => {
  const bucket = await bucketThat(() => undefined);
  server?.close();
  expect(await failure(bucket)).toMatchObject({ code: 's3-silent' });
});
