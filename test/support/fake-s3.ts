import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Secret } from '../../src/secret.ts';
import type { Bucket } from '../../src/settings/storage.ts';
import { listen, shut } from './listening.ts';

/** As S3 has it. */
const KEYS_PER_PAGE = 1_000;

export interface FakeS3 {
  readonly bucket: Bucket;
  /** By key. */
  readonly objects: Map<string, Buffer>;
  /** `METHOD URL` of each request. */
  readonly asked: string[];
  readonly close: () => Promise<void>;
}

/** A bucket in memory, with as much of S3 as the registry's files need. */
export async function startFakeS3(written: Date): Promise<FakeS3> {
  const objects = new Map<string, Buffer>();
  const asked: string[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const body = await buffer(incoming);
    const url = new URL(incoming.url ?? '', 'http://s3');
    asked.push(`${incoming.method} ${url.pathname}${url.search}`);
    const key = decodeURIComponent(url.pathname.replace(/^\/images\/?/, ''));
    if (key === '') return outgoing.end(page(objects, url.searchParams, written));
    const object = objects.get(key);
    if (incoming.method === 'PUT') objects.set(key, body);
    if (incoming.method === 'DELETE') objects.delete(key);
    if (incoming.method === 'GET' && object === undefined)
      return outgoing.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
    outgoing.writeHead(incoming.method === 'DELETE' ? 204 : 200).end(incoming.method === 'GET' ? object : '');
  });
  const port = await listen(server);
  return { bucket: bucketAt(port), objects, asked, close: () => shut(server) };
}

function page(objects: ReadonlyMap<string, Buffer>, query: URLSearchParams, written: Date): string {
  const prefix = query.get('prefix') ?? '';
  const after = query.get('continuation-token') ?? '';
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
  const shown = keys.slice(0, KEYS_PER_PAGE);
  const contents = shown.map(
    (key) =>
      `<Contents><Key>${key}</Key><LastModified>${written.toISOString()}</LastModified><Size>${objects.get(key)?.length}</Size></Contents>`,
  );
  const more =
    keys.length > shown.length ? `<NextContinuationToken>${shown.at(-1)}</NextContinuationToken>` : '';
  return `<ListBucketResult>${contents.join('')}${more}</ListBucketResult>`;
}

function bucketAt(port: number): Bucket {
  return {
    endpoint: { origin: `http://127.0.0.1:${port}`, host: '127.0.0.1', tls: false },
    region: 'us-east-1',
    bucket: 'images',
    accessKey: 'AKIA7',
    secretKey: new Secret('a-secret-key'),
    rootDirectory: 'registries/one',
    pathStyle: true,
    redirect: false,
    trust: undefined,
  };
}
