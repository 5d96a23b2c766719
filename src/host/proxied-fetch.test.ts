import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listen } from '../../test/support/listening.ts';
import { parseForwardProxy } from '../settings/forward-proxy.ts';
import { isExcepted, proxiedFetch } from './proxied-fetch.ts';

const asked: string[] = [];
const proxy = createServer((_, response) => void response.writeHead(400).end());
let port: number;

beforeAll(async () => {
  proxy.on('connect', (request, socket) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim());
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
  });
  port = await listen(proxy);
});
afterAll(() => void proxy.close());

const directly = async () => new Response('directly');
const init = () => ({ signal: AbortSignal.timeout(5_000) });

function by(login: string, except: readonly string[] = []) {
  const https = parseForwardProxy(`http://${login}127.0.0.1:${port}`);
  if (typeof https === 'string') throw new Error(https);
  return proxiedFetch({ http: undefined, https, except }, directly);
}

test('an https URL is asked for by the proxy, and its refusal is told without the password', async () => {
  const failed = by('me:p%40ss@')('https://download.example/key', init());
  await expect(failed).rejects.toThrow(
    `the proxy http://127.0.0.1:${port} answers 407 for download.example:443`,
  );
  expect(asked).toEqual([`download.example:443 Basic ${Buffer.from('me:p@ss').toString('base64')}`]);
});

test('what is excepted, and what is not https, goes directly', async () => {
  expect(await (await by('', ['example'])('https://download.example/key', init())).text()).toBe('directly');
  expect(await (await by('')('http://download.example/key', init())).text()).toBe('directly');
});

test.each([
  ['a.lan', 'a.lan', true],
  ['b.a.lan', 'a.lan', true],
  ['ba.lan', 'a.lan', false],
  ['a.lan', '.a.lan', false],
  ['b.a.lan', '*.a.lan', true],
  ['A.LAN', 'a.lan:5000', true],
  ['10.1.2.3', '10.0.0.0/8', true],
  ['11.1.2.3', '10.0.0.0/8', false],
  ['[fd00::1]', 'fd00::/8', true],
  ['10.1.2.3', 'fd00::/8', false],
  ['10.0.0.1', '10.0.0.1', true],
  ['10.0.0.1.lan', '10.0.0.1', false],
])('%s is excepted by %s: %s', (host, entry, excepted) => {
  expect(isExcepted(host, [entry])).toBe(excepted);
});
