import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { listen } from '../../test/support/listening.ts';
import { Secret } from '../secret.ts';
import { checkUpstream } from './check.ts';
import { Upstream, UpstreamAway } from './upstream.ts';

const credentials = { username: 'me', password: new Secret('right') };
const BASIC = `Basic ${Buffer.from('me:right').toString('base64')}`;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(handler: Handler): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  return `http://127.0.0.1:${await listen(server)}`;
}

function upstreamAt(url: string, login: typeof credentials | undefined = credentials) {
  const clock = new FakeClock('2026-01-01T00:00:00Z');
  return { clock, upstream: new Upstream({ url, credentials: login, trust: undefined, clock }) };
}

const get = async (upstream: Upstream, uri: string) => {
  const answer = await upstream.ask({ method: 'GET', uri, headers: {} });
  return { status: answer.statusCode, body: await text(answer) };
};

/** A registry that wants tokens, and the server that gives them. */
async function withTokens() {
  const seen: string[] = [];
  const url: string = await serve(({ url: uri = '', headers }, response) => {
    seen.push(uri);
    if (uri.startsWith('/token')) {
      const status = headers.authorization === BASIC || headers.authorization === undefined ? 200 : 401;
      response
        .writeHead(status)
        .end(JSON.stringify({ token: headers.authorization ? 'mine' : 'anybody', expires_in: 300 }));
      return;
    }
    const challenge = { 'www-authenticate': `Bearer realm="${url}/token",service="s"` };
    if (headers.authorization !== 'Bearer mine') response.writeHead(401, challenge).end();
    else response.end('shown');
  });
  return { url, seen };
}

test('a token is got with the login, for the repository, and used as long as it lives', async () => {
  const { url, seen } = await withTokens();
  const { upstream, clock } = upstreamAt(url);
  expect(await get(upstream, '/v2/a/b/manifests/1')).toEqual({ status: 200, body: 'shown' });
  expect(await get(upstream, '/v2/a/b/tags/list')).toMatchObject({ status: 200 });
  const token = '/token?service=s&scope=repository%3Aa%2Fb%3Apull';
  expect(seen).toEqual(['/v2/a/b/manifests/1', token, '/v2/a/b/manifests/1', '/v2/a/b/tags/list']);
  await clock.sleep(300_000);
  await get(upstream, '/v2/a/b/tags/list');
  expect(seen.slice(4)).toEqual(['/v2/a/b/tags/list', token, '/v2/a/b/tags/list']);
});

test('tokens of a thousand repositories are remembered and no more', async () => {
  const { url, seen } = await withTokens();
  const { upstream } = upstreamAt(url);
  for (let repository = 0; repository <= 1000; repository += 1)
    await get(upstream, `/v2/r${repository}/tags/list`);
  const before = seen.length;
  for (const repository of ['r1000', 'r0']) await get(upstream, `/v2/${repository}/tags/list`);
  expect(seen.slice(before)).toEqual([
    '/v2/r1000/tags/list',
    '/v2/r0/tags/list',
    '/token?service=s&scope=repository%3Ar0%3Apull',
    '/v2/r0/tags/list',
  ]);
});

test('a password is sent where it is asked for, and not before', async () => {
  const seen: (string | undefined)[] = [];
  const url = await serve(({ headers }, response) => {
    seen.push(headers.authorization);
    if (headers.authorization === BASIC) response.end('shown');
    else response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
  });
  const { upstream } = upstreamAt(url);
  expect(await get(upstream, '/v2/a/manifests/1')).toEqual({ status: 200, body: 'shown' });
  expect(await get(upstream, '/v2/a/manifests/1')).toEqual({ status: 200, body: 'shown' });
  expect(seen).toEqual([undefined, BASIC, BASIC]);
});

test('it is followed to where its blobs are, without the login', async () => {
  const seen: (string | undefined)[] = [];
  const elsewhere = await serve(({ headers }, response) => {
    seen.push(headers.authorization);
    response.end('blob');
  });
  const url = await serve(({ headers }, response) => {
    if (headers.authorization !== BASIC) response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
    else response.writeHead(307, { location: `${elsewhere}/x` }).end();
  });
  expect(await get(upstreamAt(url).upstream, '/v2/a/blobs/sha256:x')).toEqual({ status: 200, body: 'blob' });
  expect(seen).toEqual([undefined]);
});

test('where it leads to nobody, only that place is left alone for a while', async () => {
  const gone = await serve(() => undefined);
  for (const server of servers.splice(-1)) server.close();
  const url = await serve(({ url: uri = '' }, response) => {
    if (uri.includes('/blobs/')) response.writeHead(307, { location: `${gone}/blob` });
    response.end('shown');
  });
  const { upstream } = upstreamAt(url);
  for (const because of [/ECONNREFUSED/, /just now/])
    await expect(get(upstream, '/v2/a/blobs/x')).rejects.toThrow(because);
  expect(await get(upstream, '/v2/a/tags/list')).toMatchObject({ status: 200 });
});

test('redirects without end have one', async () => {
  const url = await serve((_, response) => response.writeHead(302, { location: '/again' }).end());
  expect((await get(upstreamAt(url).upstream, '/v2/')).status).toBe(302);
});

test('who did not answer is left alone for a while, and asked again after it', async () => {
  let asked = 0;
  const url = await serve((request, response) => {
    asked += 1;
    if (asked === 1) request.destroy();
    else response.end('back');
  });
  const { upstream, clock } = upstreamAt(url);
  await expect(get(upstream, '/v2/')).rejects.toThrow(UpstreamAway);
  await expect(get(upstream, '/v2/')).rejects.toThrow(UpstreamAway);
  expect(asked).toBe(1);
  await clock.sleep(5_000);
  expect(await get(upstream, '/v2/')).toEqual({ status: 200, body: 'back' });
});

test.each<[string, Handler, typeof credentials | undefined, string]>([
  ['lets everybody in', (_, response) => response.end('{}'), undefined, 'open'],
  [
    'wants a password',
    (_, response) => response.writeHead(401, { 'www-authenticate': 'Basic' }).end(),
    undefined,
    'wants-login',
  ],
  [
    'wants another password',
    (_, response) => response.writeHead(401, { 'www-authenticate': 'Basic' }).end(),
    credentials,
    'refuses-login',
  ],
  [
    'wants tokens, and gives nobody one',
    ({ url }, response) =>
      response
        .writeHead(401, url === '/v2/' ? { 'www-authenticate': 'Bearer realm="http://127.0.0.1:1/"' } : {})
        .end(),
    undefined,
    'away',
  ],
  ['is a page', (_, response) => response.writeHead(404).end('<html>'), undefined, 'no-registry'],
  ['is broken', (_, response) => response.writeHead(502).end(), undefined, 'away'],
])('an upstream that %s', async (_, handler, login, kind) => {
  const url = await serve(handler);
  expect(await checkUpstream(upstreamAt(url, login).upstream, login !== undefined)).toMatchObject({ kind });
});

test('a wrong login for tokens is found out', async () => {
  const { url } = await withTokens();
  const login = { username: 'me', password: new Secret('wrong') };
  expect(await checkUpstream(upstreamAt(url, login).upstream, true)).toEqual({ kind: 'refuses-login' });
});
