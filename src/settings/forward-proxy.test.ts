import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { wrongInput } from '../../test/support/wrong-input.ts';
import { paths } from '../paths.ts';
import { parseExceptions, parseForwardProxy, proxyVariables } from './forward-proxy.ts';
import { loadSettings } from './load.ts';
import { loadUnattended } from './unattended.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'moorage-proxy-'));
});
afterEach(() => rm(root, { recursive: true }));

test.each([
  ['http://proxy.lan:3128', 'http://proxy.lan:3128', 'http://proxy.lan:3128'],
  ['http://Proxy.lan/', 'http://proxy.lan', 'http://proxy.lan'],
  ['https://[fd00::1]:8080', 'https://[fd00::1]:8080', 'https://[fd00::1]:8080'],
  ['http://me:p%40ss%25@10.0.0.1:80', 'http://me:p%40ss%25@10.0.0.1', 'http://10.0.0.1'],
])('%s is a proxy, shown without its login', (text, url, shown) => {
  const parsed = parseForwardProxy(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  expect(parsed.url.reveal()).toBe(url);
  expect(parsed.shown).toBe(shown);
});

test.each([
  ['http://proxy.lan:80', 'http://proxy.lan:80'],
  ['http://me:p%40ss@[fd00::1]', 'http://me:p%40ss@[fd00::1]:80'],
  ['https://proxy.lan', 'https://proxy.lan:443'],
  ['http://proxy.lan:3128', 'http://proxy.lan:3128'],
])('%s has its port for programs: dnf takes 1080 where there is none', (text, told) => {
  const http = parseForwardProxy(text);
  if (typeof http === 'string') throw new Error(http);
  expect(proxyVariables({ http, https: undefined, except: [] }, {})).toMatchObject({ HTTP_PROXY: told });
});

test.each([
  ['proxy.lan:3128', /like http/],
  ['me:SECRET@proxy.lan:3128', /like http/],
  ['socks5://me:SECRET@proxy.lan', /like http/],
  ['http://me:SECRET@proxy.lan/path', /end with/],
  ['http://me:SECRET@proxy.lan?x', /end with/],
  ['http://me:SECRET#@proxy.lan', /%XX/],
  ['http://me:SEC RET@proxy.lan', /%XX/],
  ['http://me:SECRET\u0007@proxy.lan', /%XX/],
  ['http://me:SECRET%zz@proxy.lan', /%25/],
  ['http://me:SECRET@pro_xy', /host name/],
])('%j is refused without being repeated', async (text, reason) => {
  expect(parseForwardProxy(text)).toMatch(reason);
  await writeFile(join(root, '.env'), `HTTPS_PROXY='${text}'\n`);
  const told = await wrongInput(loadSettings(paths(root), {}));
  expect(told).toMatch(/^HTTPS_PROXY: /);
  expect(told).not.toMatch(/SEC/);
});

test('exceptions are names, addresses and networks, each once', () => {
  const all = 'a.lan, .b.lan,*.c.lan,a.lan,10.0.0.1,10.0.0.0/8,fd00::/8,fd00::1,[fd00::1]:5000,d.lan:5000';
  const [first, second, ...rest] = all.replaceAll(' ', '').split(',');
  expect(parseExceptions(all)).toEqual([first, second, rest[0], ...rest.slice(2)]);
  expect(parseExceptions('')).toEqual([]);
});

test.each(['*', '10.0.0.0/33', 'http://a.lan', 'a b', 'a"b', '10.0.0/8', 'a.lan/24', 'a\nb'])(
  '%j is no exception',
  (text) => expect(parseExceptions(text)).toContain('which is'),
);

test('whatever is accepted can be written into one line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const found = parseExceptions(text);
      if (typeof found !== 'string') for (const each of found) expect(each).toMatch(/^[\w.:*/[\]-]+$/);
    }),
  );
});

test('what the shell has under these names changes nothing, nor is it in the way of a service', async () => {
  await writeFile(join(root, '.env'), 'HTTPS_PROXY=http://proxy.lan:3128\nNO_PROXY=a.lan\n');
  const shell = { HTTP_PROXY: 'http://other', HTTPS_PROXY: 'http://other', NO_PROXY: 'other' };
  for (const { proxy } of [
    await loadSettings(paths(root), shell),
    await loadUnattended(paths(root), shell),
  ]) {
    expect(proxy.http).toBeUndefined();
    expect(proxy.https?.shown).toBe('http://proxy.lan:3128');
    expect(proxy.except).toEqual(['a.lan']);
  }
});
