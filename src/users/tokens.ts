import { createHash, randomBytes, randomInt } from 'node:crypto';
import { z } from 'zod';
import { formatGrant, type Grant, parseGrant } from '../access/grant.ts';
import { inTurn } from '../access/turn.ts';
import { messageOf, WrongInput } from '../errors.ts';
import { Secret } from '../secret.ts';
import { ownerToKeep, readIfExists, writeAtomically } from '../system/files.ts';

/** A password for programs: it expires, may do less than its user, and dies with them. */
export interface Token {
  readonly id: string;
  readonly user: string;
  /** SHA-256 of its secret, in hexadecimal: nothing to guess in 256 random bits, so nothing to stretch. */
  readonly digest: string;
  /** What of the user's rights it has; `undefined`: all of them. */
  readonly allow: readonly Grant[] | undefined;
  readonly created: Date;
  readonly expires: Date | undefined;
}

/** What every token's password begins with; secret scanners look for such marks. */
export const TOKEN_MARK = 'mrg_';

/** Without 0 o 1 l i: it is read aloud and typed when a token is removed. */
const ID_ALPHABET = '23456789abcdefghjkmnpqrstuvwxyz';
const ID_LENGTH = 8;
const SECRET_BYTES = 32;
const PASSWORD = /^mrg_([a-z0-9]{8})_([\w-]{43})$/;

const date = z.iso.datetime().transform((text) => new Date(text));
const grant = z.string().transform((text, context): Grant => {
  const parsed = parseGrant(text);
  if (typeof parsed !== 'string') return parsed;
  context.addIssue(`${text}: ${parsed}`);
  return z.NEVER;
});
const tokensFile = z.strictObject({
  tokens: z.array(
    z.strictObject({
      id: z.string().regex(/^[a-z0-9]{8}$/, 'is no id: 8 letters and digits'),
      user: z.string().min(1),
      digest: z.string().regex(/^[0-9a-f]{64}$/, 'is no SHA-256: 64 hexadecimal digits'),
      allow: z.array(grant).min(1).optional(),
      created: date,
      expires: date.optional(),
    }),
  ),
});

/**
 * @param file named in errors
 * @throws WrongInput with every problem by its line, or by its place: `FILE tokens.0.digest`
 */
export function parseTokens(text: string, file: string): Token[] {
  const parsed = tokensFile.safeParse(parseJson(text, file));
  if (!parsed.success) {
    throw new WrongInput(
      parsed.error.issues.map(({ path, message }) => ({
        input: [file, path.join('.')].join(' ').trim(),
        message,
      })),
    );
  }
  const tokens = parsed.data.tokens.map(({ allow, expires, ...rest }) => ({ ...rest, allow, expires }));
  const twice = tokens.findIndex(({ id }, index) => tokens.findIndex((other) => other.id === id) < index);
  if (twice >= 0) throw new WrongInput([{ input: `${file} tokens.${twice}.id`, message: 'is there twice' }]);
  return tokens;
}

/**
 * The tokens of a file, the oldest first. No file is none.
 * @throws WrongInput when it can't be read; so does everything below
 */
export async function listTokens(file: string): Promise<Token[]> {
  const text = await readIfExists(file);
  return text === undefined ? [] : parseTokens(text, file);
}

/** A new token, and its password, which nobody can find out later. */
export async function createToken(
  file: string,
  { now, ...given }: Pick<Token, 'user' | 'allow' | 'expires'> & { readonly now: Date },
): Promise<{ token: Token; password: Secret }> {
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return inTurn(file, async () => {
    const others = await listTokens(file);
    const token = { ...given, id: newId(others), digest: digestOf(secret), created: now };
    await write(file, [...others, token]);
    return { token, password: new Secret(`${TOKEN_MARK}${token.id}_${secret}`) };
  });
}

/** @throws WrongInput when the user has no such token */
export async function removeToken(file: string, { user, id }: { user: string; id: string }): Promise<void> {
  await inTurn(file, async () => {
    const tokens = await listTokens(file);
    const left = tokens.filter((token) => token.user !== user || token.id !== id);
    if (left.length === tokens.length) {
      const names = tokens.filter((token) => token.user === user).map(tokenName);
      const known = names.length === 0 ? `${user} has none` : `there is ${names.join(', ')}`;
      throw new WrongInput([{ input: tokenName({ user, id }), message: `is no token; ${known}` }]);
    }
    await write(file, left);
  });
}

/** @returns how many there were */
export async function removeTokensOf(file: string, user: string): Promise<number> {
  return inTurn(file, async () => {
    const tokens = await listTokens(file);
    const left = tokens.filter((token) => token.user !== user);
    if (left.length < tokens.length) await write(file, left);
    return tokens.length - left.length;
  });
}

/** What people call a token. A user's name has no colon. */
export function tokenName({ user, id }: Pick<Token, 'user' | 'id'>): string {
  return `${user}:${id}`;
}

/** Which token a password claims to be, and the digest to compare; `undefined` when it is none. */
export function readTokenPassword(password: string): { id: string; digest: string } | undefined {
  const [, id, secret] = PASSWORD.exec(password) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, digest: digestOf(secret) };
}

export function isExpired({ expires }: Pick<Token, 'expires'>, now: Date): boolean {
  return expires !== undefined && expires.getTime() <= now.getTime();
}

function newId(others: readonly Token[]): string {
  for (;;) {
    const letters = Array.from({ length: ID_LENGTH }, () => ID_ALPHABET[randomInt(ID_ALPHABET.length)]);
    const id = letters.join('');
    if (others.every((other) => other.id !== id)) return id;
  }
}

function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

async function write(file: string, tokens: readonly Token[]): Promise<void> {
  const plain = tokens.map((token) => ({ ...token, allow: token.allow?.map(formatGrant) }));
  const text = `${JSON.stringify({ tokens: plain }, null, 2)}\n`;
  await writeAtomically(file, text, 0o600, await ownerToKeep(file));
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // What V8 says is not repeated: it quotes the file.
    const remedy = 'restore it, or remove it and make the tokens anew';
    throw new WrongInput([
      { input: `${file}${lineOf(messageOf(error), text)}`, message: `is not JSON; ${remedy}` },
    ]);
  }
}

/** V8 tells where it stopped for some mistakes, and for others not. */
function lineOf(said: string, text: string): string {
  const position = /position (\d+)/.exec(said)?.[1];
  if (position !== undefined) return `:${text.slice(0, Number(position)).split('\n').length}`;
  return /end of JSON/.test(said) ? `:${text.trimEnd().split('\n').length}` : '';
}
