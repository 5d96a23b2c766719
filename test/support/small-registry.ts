import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { shut } from './listening.ts';

export interface SmallRegistry {
  /** `METHOD URI` of each request, in order. */
  readonly seen: string[];
  readonly headers: IncomingMessage['headers'][];
  /** Bytes of each body, as they come. */
  readonly sizes: number[];
  /** From now on whatever is uploaded ends with this status. */
  fail(status: number): void;
  /** Puts a manifest there. Answers its digest. */
  put(repository: string, reference: string, manifest: string): string;
  close(): Promise<void>;
}

/** Manifests, tags and the catalogue of a registry, in memory, over a Unix socket: what the gate asks it for. */
export async function startSmallRegistry(socketPath: string): Promise<SmallRegistry> {
  const manifests = new Map<string, string>();
  const seen: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const sizes: number[] = [];
  let uploaded = 202;
  const put = (repository: string, reference: string, manifest: string) => {
    const digest = `sha256:${createHash('sha256').update(manifest).digest('hex')}`;
    manifests.set(`${repository} ${reference}`, manifest);
    manifests.set(`${repository} ${digest}`, manifest);
    return digest;
  };
  const names = () => [...new Set([...manifests.keys()].map((key) => key.split(' ')[0] ?? ''))].sort();

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '' } = request;
    seen.push(`${method} ${url}`);
    headers.push(request.headers);
    const place = sizes.push(0) - 1;
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk);
      sizes[place] = (sizes[place] ?? 0) + chunk.length;
    }
    const body = Buffer.concat(chunks).toString();
    const { pathname, searchParams } = new URL(url, 'http://registry');
    const [, repository = '', kind, reference = ''] =
      /^\/v2\/(.+)\/(manifests|tags|blobs)\/(.*)$/.exec(pathname) ?? [];
    if (pathname === '/v2/_catalog') {
      const after = names().filter((name) => name > (searchParams.get('last') ?? ''));
      return json(response, 200, { repositories: after.slice(0, Number(searchParams.get('n') ?? 100)) });
    }
    if (kind === 'tags') {
      const tags = [...manifests.keys()].filter(
        (key) => key.startsWith(`${repository} `) && !key.includes('sha256:'),
      );
      return json(response, 200, { name: repository, tags: tags.map((key) => key.split(' ')[1]) });
    }
    if (kind === 'blobs' && uploaded >= 400) return json(response, uploaded, {});
    if (kind === 'blobs') return json(response, 202, {}, { location: `/v2/${repository}/blobs/uploads/1` });
    if (method === 'PUT') {
      return json(response, 201, {}, { 'docker-content-digest': put(repository, reference, body) });
    }
    const manifest = manifests.get(`${repository} ${reference}`);
    if (manifest === undefined) return json(response, 404, { errors: [{ code: 'MANIFEST_UNKNOWN' }] });
    if (method === 'DELETE') {
      manifests.delete(`${repository} ${reference}`);
      return json(response, 202, {});
    }
    const digest = `sha256:${createHash('sha256').update(manifest).digest('hex')}`;
    response.writeHead(200, { 'docker-content-digest': digest, 'content-type': 'application/json' });
    return response.end(method === 'HEAD' ? undefined : manifest);
  };
  const server = createServer((request, response) => void answer(request, response)).listen(socketPath);
  await once(server, 'listening');
  return {
    seen,
    headers,
    sizes,
    fail: (status) => {
      uploaded = status;
    },
    put,
    close: () => shut(server),
  };
}

function json(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}) {
  return response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify(body));
}
