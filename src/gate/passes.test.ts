import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { asksForPass, Passes, passChallenge } from './passes.ts';

const START = '2026-01-01T00:00:00.000Z';
const LOGIN = 'Basic YWRhOsO8';

test('a pass is the header that it was got with, for as long as it says', () => {
  const clock = new FakeClock(START);
  const passes = new Passes(clock);
  const { token, expires_in, issued_at } = passes.seal(LOGIN);
  expect({ expires_in, issued_at }).toEqual({ expires_in: 300, issued_at: START });
  expect(passes.open(`Bearer ${token}`)).toBe(LOGIN);
  clock.set(new Date(Date.parse(START) + 299_999));
  expect(passes.open(`bearer ${token}`)).toBe(LOGIN);
  clock.set(new Date(Date.parse(START) + 300_000));
  expect(passes.open(`Bearer ${token}`)).toBe(`Bearer ${token}`);
});

test('without a login it is that of nobody', () => {
  const passes = new Passes(new FakeClock(START));
  expect(passes.open(`Bearer ${passes.seal().token}`)).toBe('');
});

test('it tells nothing about the login, and each is another', () => {
  const passes = new Passes(new FakeClock(START));
  const [one, other] = [passes.seal(LOGIN).token, passes.seal(LOGIN).token];
  expect(one).not.toBe(other);
  expect(Buffer.from(one, 'base64url').includes('YWRh')).toBe(false);
});

test('a bit changed anywhere, a part of it, or another process’s: it is no pass', () => {
  const clock = new FakeClock(START);
  const passes = new Passes(clock);
  const bytes = Buffer.from(passes.seal(LOGIN).token, 'base64url');
  const closed = (token: Buffer) => {
    const header = `Bearer ${token.toString('base64url')}`;
    expect(passes.open(header)).toBe(header);
  };
  for (let place = 0; place < bytes.length; place += 1) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(place) ^ 1, place);
    closed(changed);
    closed(bytes.subarray(0, place));
  }
  closed(Buffer.from(new Passes(clock).seal(LOGIN).token, 'base64url'));
});

test.each([undefined, '', LOGIN, 'Bearer', 'Bearer a b'])('%s is no pass and stays what it is', (header) => {
  expect(new Passes(new FakeClock(START)).open(header)).toBe(header);
});

test.each([
  ['/v2/token', true],
  ['/v2/token?account=ada&scope=repository:a:pull', true],
  ['/v2/token/', false],
  ['/v2/token/tags/list', false],
  ['/v2/%74oken', false],
  ['/v2/../token', false],
])('%s asks for a pass: %s', (uri, expected) => {
  expect(asksForPass(uri)).toBe(expected);
});

test.each([
  [{ host: 'registry.example.com', 'x-forwarded-proto': 'https' }, 'https://registry.example.com/v2/token'],
  [{ host: 'localhost:8443', 'x-forwarded-proto': 'https' }, 'https://localhost:8443/v2/token'],
  [{ host: '[::1]:80', 'x-forwarded-proto': 'http' }, 'http://[::1]:80/v2/token'],
  [{ host: 'a.example', accept: 'text/html,application/xml;q=0.9,*/*;q=0.8' }, undefined],
  [{ host: 'a", realm="b' }, undefined],
  [{ host: 'a/b' }, undefined],
  [{}, undefined],
])('to %j a pass is offered at %s', (headers, realm) => {
  const challenge = passChallenge(headers);
  if (realm === undefined) expect(challenge).toBeUndefined();
  else expect(challenge).toBe(`Bearer realm="${realm}",service="${headers.host}"`);
});
