import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { formatGrant, parseGrant } from '../access/grant.ts';
import { WrongInput } from '../errors.ts';
import {
  createToken,
  isExpired,
  listTokens,
  parseTokens,
  readTokenPassword,
  removeToken,
  removeTokensOf,
} from './tokens.ts';
import { addUser } from './users.ts';

const now = new Date('2026-07-01T12:00:00.000Z');
const later = new Date('2026-09-29T12:00:00.000Z');
const forAda = { user: 'ada', allow: undefined, expires: undefined, now };

let file: string;

beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'moorage-tokens-')), 'tokens.json');
});

afterEach(async () => {
  await rm(dirname(file), { recursive: true });
});

test('a token is read back as it was made, and its password leads to it', async () => {
  const push = parseGrant('push:team/app');
  if (typeof push === 'string') throw new Error(push);
  const { token, password } = await createToken(file, { ...forAda, allow: [push], expires: later });
  const [read] = await listTokens(file);
  expect({ ...read, allow: read?.allow?.map(formatGrant) }).toEqual({ ...token, allow: ['push:team/app'] });
  expect(read?.allow?.[0]?.matches('team/app')).toBe(true);
  expect(password.reveal()).toMatch(/^mrg_[2-9a-hjkmnp-z]{8}_[\w-]{43}$/);
  expect(readTokenPassword(password.reveal())).toEqual({ id: token.id, digest: token.digest });
});

test('the file is its owner’s alone and knows no secret', async () => {
  const { password } = await createToken(file, forAda);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(file, 'utf8')).not.toContain(password.reveal().slice(13));
  expect(await readdir(dirname(file))).toEqual(['tokens.json']);
});

test('no two tokens have an id or a secret in common, though made at once beside other changes', async () => {
  const made = await Promise.all([
    ...Array.from({ length: 10 }, () => createToken(file, forAda)),
    addUser(join(dirname(file), 'registry.password'), 'ada', `$2y$12$${'a'.repeat(53)}`),
  ]);
  const tokens = await listTokens(file);
  expect(tokens).toHaveLength(made.length - 1);
  expect(new Set(tokens.map(({ id }) => id)).size).toBe(10);
  expect(new Set(tokens.map(({ digest }) => digest)).size).toBe(10);
});

test('one is removed by its user and id, and nobody else’s', async () => {
  const { token } = await createToken(file, forAda);
  const other = await createToken(file, { ...forAda, user: 'bob' });
  await expect(removeToken(file, { user: 'bob', id: token.id })).rejects.toThrow(
    `bob:${token.id}: is no token; there is bob:${other.token.id}`,
  );
  await removeToken(file, token);
  expect(await listTokens(file)).toEqual([other.token]);
  await expect(removeToken(file, token)).rejects.toThrow('ada has none');
});

test('a user’s tokens go together; where there are none no file is made', async () => {
  expect(await removeTokensOf(file, 'ada')).toBe(0);
  expect(await readdir(dirname(file))).toEqual([]);
  await createToken(file, forAda);
  await createToken(file, forAda);
  const { token } = await createToken(file, { ...forAda, user: 'bob' });
  expect(await removeTokensOf(file, 'ada')).toBe(2);
  expect(await listTokens(file)).toEqual([token]);
});

test('it has expired from its last moment on, and never when it has none', () => {
  expect(isExpired({ expires: later }, new Date(later.getTime() - 1))).toBe(false);
  expect(isExpired({ expires: later }, later)).toBe(true);
  expect(isExpired({ expires: undefined }, later)).toBe(false);
});

test.each([
  ['', 'tokens.json:1'],
  ['{\n  "tokens": [\n    {} {}\n  ]\n}', 'tokens.json:3'],
  ['{\n  "tokens": x\n}', 'tokens.json(:2)?'],
  ['{\n  "tokens": [\n', 'tokens.json:2'],
  ['[]', 'tokens.json'],
  ['{"tokens": [], "more": 1}', 'tokens.json'],
  [whole({ id: 'SHORT' }), 'tokens.json tokens.0.id'],
  [whole({ digest: 'abc' }), 'tokens.json tokens.0.digest'],
  [whole({ allow: ['push:team', 'write'] }), 'tokens.json tokens.0.allow.1'],
  [whole({ allow: [] }), 'tokens.json tokens.0.allow'],
  [whole({ created: 'yesterday' }), 'tokens.json tokens.0.created'],
  [whole({ expires: 5 }), 'tokens.json tokens.0.expires'],
  [whole({ note: '' }), 'tokens.json tokens.0'],
  [whole({}, {}), 'tokens.json tokens.1.id'],
])('%j is refused by its place, %s', (text, place) => {
  expect(() => parseTokens(text, 'tokens.json')).toThrow(WrongInput);
  expect(() => parseTokens(text, 'tokens.json')).toThrow(new RegExp(`^${place}: `));
});

test('a file that can’t be read is left as it is', async () => {
  await writeFile(file, '{');
  await expect(createToken(file, forAda)).rejects.toThrow(`${file}:1: is not JSON`);
  await expect(removeTokensOf(file, 'ada')).rejects.toThrow('is not JSON');
  expect(await readFile(file, 'utf8')).toBe('{');
});

test('whatever the text, it is tokens or refused, and no other password is a token', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
      expect(readTokenPassword(text)).toBeUndefined();
      expect(() => parseTokens(text, 'f')).toThrow(WrongInput);
    }),
  );
});

test.each([
  'mrg_',
  'mrg_abcd2345_',
  `mrg_abcd2345_${'a'.repeat(42)}`,
  `mrg_abcd2345_${'a'.repeat(44)}`,
  `mrg_abcd2345_${'a'.repeat(43)}\n`,
])('%j is no token', (password) => {
  expect(readTokenPassword(password)).toBeUndefined();
});

/** A file with a token for each, of which some fields are other ones. */
function whole(...changed: object[]): string {
  const token = { id: 'abcd2345', user: 'ada', digest: 'a'.repeat(64), created: now.toISOString() };
  return JSON.stringify({ tokens: changed.map((each) => ({ ...token, ...each })) });
}
