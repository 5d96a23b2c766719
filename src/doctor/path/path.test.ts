import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Reply } from '../../registry/exchange.ts';
import type { Finding } from '../finding.ts';
import { judgeDelete } from './delete.ts';
import { calledIn, cureFor, hopIn } from './hop.ts';
import { judgeLocation, judgeStart } from './location.ts';
import { judgeLogin, type LoginFacts } from './login.ts';
import { judgePulled, judgeRedirect } from './pull.ts';
import { judgePush } from './pushes.ts';
import { RandomBody } from './random-body.ts';
import { judgeSlow, type SlowFacts } from './slow-push.ts';
import type { Outcome } from './upload.ts';

const URL_ = 'https://r.example:8443';
const MIB = 1024 ** 2;
const OWN = { server: 'nginx' };
const BASIC = { 'www-authenticate': 'Basic realm="x"' };

const reply = (status: number, headers: Reply['headers'] = OWN): Reply => ({
  status,
  headers,
  text: '',
  bytes: 0,
  digest: 'sha256:d',
  sent: 0,
});
const refused = (status: number, headers?: Reply['headers']): Outcome => ({
  kind: 'refused',
  method: 'PATCH',
  sent: 50 * MIB,
  reply: reply(status, headers),
});
const CUT: Outcome = { kind: 'cut', method: 'PATCH', sent: MIB, reason: 'ECONNRESET' };
const DONE: Outcome = { kind: 'done' };

const login = (facts: Partial<LoginFacts>) =>
  judgeLogin({
    url: URL_,
    detour: undefined,
    distrust: undefined,
    stranger: reply(401, BASIC),
    user: reply(200),
    given: false,
    inner: 200,
    hop: undefined,
    ...facts,
  });
const bearer = (realm: string) => reply(401, { 'www-authenticate': `Bearer realm="${realm}",service="x"` });
const slow = (facts: Partial<SlowFacts>) =>
  judgeSlow({
    outcome: DONE,
    sent: 65_536,
    arrived: 61_440,
    inner: undefined,
    hop: undefined,
    own: OWN,
    afar: false,
    ...facts,
  });
const pulled = (status: number, digest: string, hop?: string) =>
  judgePulled('128 MiB', { status, digest, bytes: 5 }, 200, 'sha256:d', hop);

test.each<[string, Finding, Finding['verdict'], RegExp?]>([
  ['a login', login({}), 'fine'],
  ['a token from the right place', login({ stranger: bearer(`${URL_}/v2/token`) }), 'fine'],
  [
    'a token from a wrong place',
    login({ stranger: bearer('http://r.example/v2/token') }),
    'broken',
    /sent to http:\/\/r\.example/,
  ],
  ['an open registry', login({ stranger: reply(200) }), 'broken', /200 to nobody in particular/],
  [
    'a password that somebody has mistyped',
    login({ user: reply(401), given: true, inner: undefined }),
    'broken',
    /^https:\/\/r\.example:8443 refuses this name and password$/,
  ],
  ['nobody, who is asked for a login', login({ user: undefined }), 'fine'],
  ['no challenge', login({ stranger: reply(401) }), 'broken', /without WWW-Authenticate/],
  ['the name is lost', login({ stranger: reply(421), hop: 'Caddy' }), 'broken', /Host header is lost.*Caddy/],
  [
    'the password is lost',
    login({ user: reply(401), hop: 'Caddy' }),
    'broken',
    /Caddy; Moorage’s own nginx says 200/,
  ],
  ['the gate is down', login({ user: reply(503), inner: 503 }), 'broken', /is answered with 503/],
  ['a certificate that is refused', login({ distrust: 'old' }), 'warning', /refuse its certificate: old/],
  ['a path', judgeLocation('/v2/x', URL_, undefined), 'fine'],
  ['a whole URL', judgeLocation(`${URL_}/v2/x`, URL_, undefined), 'fine'],
  [
    'a lost port',
    judgeLocation('https://r.example/v2/x', URL_, 'nginx/1'),
    'broken',
    /the port is wrong, by a hop in front, nginx\/1/,
  ],
  [
    'a lost TLS',
    judgeLocation('http://r.example:8443/v2/x', URL_, undefined),
    'broken',
    /the scheme is wrong/,
  ],
  [
    'an inner name',
    judgeLocation('https://registry:8443/v2/x', URL_, undefined),
    'broken',
    /the host is wrong/,
  ],
  ['none', judgeLocation(undefined, URL_, undefined), 'broken'],
  [
    'a full disk',
    judgeStart(507, '{"errors":[{"message":"little is free"}]}', undefined),
    'broken',
    /507: little is free/,
  ],
  [
    'a registry that has moved',
    judgeStart(
      503,
      '{"errors":[{"message":"writes are closed: this registry moves to another machine"}]}',
      undefined,
    ),
    'warning',
    /this registry moves to another machine/,
  ],
  [
    'a collection that is at work',
    judgeStart(503, '{"errors":[{"message":"writes are closed for a moment"}]}', undefined),
    'warning',
  ],
  ['a part that is away', judgeStart(503, 'Service Unavailable', undefined), 'broken'],
  ['a gate that is older', judgeStart(403, 'denied', undefined), 'broken'],
  [
    'a place where somebody may not push',
    judgeStart(403, '{"errors":[{"code":"DENIED","message":"no"}]}', 'nginx/1', 'a/b'),
    'broken',
    /403: no$/,
  ],
  ['a push', judgePush(DONE, DONE, OWN, undefined), 'fine'],
  [
    'a limit in front',
    judgePush(refused(413, { server: 'nginx/1.26.3' }), DONE, OWN, undefined),
    'broken',
    /413 after 50 MiB by a hop in front, nginx\/1\.26\.3/,
  ],
  [
    'one that calls itself as ours does',
    judgePush(refused(413), DONE, OWN, undefined),
    'broken',
    /a hop in front, nginx;/,
  ],
  [
    'one that cuts',
    judgePush(CUT, DONE, OWN, 'HAProxy'),
    'broken',
    /cut off after 1 MiB \(ECONNRESET\) by a hop in front, HAProxy/,
  ],
  [
    'a limit of our own',
    judgePush(refused(413), refused(413), OWN, undefined),
    'broken',
    /by Moorage’s own nginx/,
  ],
  [
    'a limit in front, seen from another machine',
    judgePush(refused(413, { server: 'nginx/1.26.3' }), undefined, OWN, undefined),
    'broken',
    /413 after 50 MiB, through a hop in front, nginx\/1\.26\.3$/,
  ],
  [
    'a limit of nobody in particular, seen from there',
    judgePush(refused(413), undefined, OWN, undefined),
    'broken',
    /413 after 50 MiB$/,
  ],
  ['the disk filled up', judgePush(refused(507), refused(507), OWN, undefined), 'broken', /the disk is full/],
  [
    'the stack itself',
    judgePush(refused(503), refused(503), OWN, undefined),
    'broken',
    /without anything in front/,
  ],
  ['a slow push', slow({}), 'fine'],
  ['one into a bucket', slow({ arrived: undefined }), 'unknown', /can’t be seen in a bucket/],
  [
    'a hop that holds back',
    slow({ arrived: 0, inner: 61_440, hop: 'nginx/1' }),
    'warning',
    /nginx\/1, holds a whole layer back/,
  ],
  ['one from another machine', slow({ arrived: undefined, afar: true }), 'fine'],
  ['our own nginx that does', slow({ arrived: 0, inner: 0 }), 'warning', /Moorage’s own nginx holds/],
  [
    'a hop that does not wait',
    slow({ outcome: refused(408, { server: 'Apache' }) }),
    'broken',
    /408 by a hop in front, Apache/,
  ],
  ['a pull', pulled(200, 'sha256:d'), 'fine'],
  ['a pull that is refused', pulled(502, 'sha256:d'), 'broken', /502 instead of 200/],
  [
    'a changed layer',
    pulled(200, 'sha256:e', 'Caddy'),
    'broken',
    /came back changed \(5 bytes\), through a hop in front, Caddy/,
  ],
  ['a bucket', judgeRedirect('a', 'a'), 'fine'],
  ['a wrong bucket', judgeRedirect('b', 'a'), 'broken'],
  ['a deletion', judgeDelete([{ what: 'layer', status: 202, after: 404 }], undefined), 'fine'],
  [
    'one that is refused',
    judgeDelete([{ what: 'layer', status: 405, after: 200 }], 'Caddy'),
    'broken',
    /405, through a hop in front, Caddy/,
  ],
  [
    'one without effect',
    judgeDelete([{ what: 'layer', status: 202, after: 200 }], undefined),
    'broken',
    /still answered with 200/,
  ],
])('%s', (_, finding, verdict, detail = /./) => {
  expect(finding.verdict).toBe(verdict);
  if (verdict !== 'fine') expect(finding.detail).toMatch(detail);
});

test.each([
  [{ server: 'nginx' }, undefined],
  [{ server: 'nginx/1.26.3' }, 'nginx/1.26.3'],
  [{ server: 'cloudflare', 'cf-ray': '8a' }, 'cloudflare (Cloudflare)'],
  [{ server: 'nginx', via: '1.1 varnish' }, 'nginx (Via 1.1 varnish)'],
  [{}, 'one that does not name itself'],
])('who gave an answer with %j: %s', (headers, hop) => {
  expect(hopIn(headers, OWN)).toBe(hop);
});

test('what to change there is said in its own words', () => {
  expect(cureFor('nginx/1.26.3', 'limit')).toContain('client_max_body_size 0;');
  expect(cureFor('cloudflare (Cloudflare)', 'limit')).toContain('DNS only');
  expect(cureFor('Apache/2.4', 'limit')).toBe('There: LimitRequestBody 0');
  expect(cureFor(undefined, 'limit')).toBe('Let it take bodies of any size.');
  expect(calledIn({})).toBeUndefined();
});

describe('a random body', () => {
  const body = new RandomBody(200_000);
  const bytes = Buffer.concat([...body.pieces()]);

  test('is the same each time, and unlike any other', () => {
    expect(bytes).toHaveLength(200_000);
    expect(Buffer.concat([...body.pieces()]).equals(bytes)).toBe(true);
    expect(Buffer.concat([...new RandomBody(200_000).pieces()]).equals(bytes)).toBe(false);
  });

  test('has the digest of its bytes, as a whole and of a part', () => {
    const digest = (part: Buffer) => `sha256:${createHash('sha256').update(part).digest('hex')}`;
    expect(body.digest).toBe(digest(bytes));
    expect(body.digestOf(65_536, 150_000)).toBe(digest(bytes.subarray(65_536, 150_000)));
  });
});
