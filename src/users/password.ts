import { randomInt } from 'node:crypto';
import { compare, hash, truncates } from 'bcryptjs';
import { Secret } from '../secret.ts';
import { TOKEN_MARK } from './tokens.ts';

/** About a quarter of a second for each guess on today's hardware; OWASP asks for 10 or more. */
export const DEFAULT_COST = 12;

/** Without 0 o O 1 l I: a password is sometimes read aloud. 24 of these 56 are 139 bits. */
const ALPHABET = '23456789abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ';
const LENGTH = 24;

export function generatePassword(): Secret {
  return new Secret(Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''));
}

/** Why this can't be a password, or `undefined` when it can. */
export function passwordProblem(password: string): string | undefined {
  if (password === '') return 'is empty';
  if (/[\0\r\n]/.test(password)) return 'has a line break or a zero byte in it';
  // U+FFFD is what decoding makes of other bytes: the password typed at a login would be another one.
  if (password.includes('\uFFFD')) return 'is not UTF-8';
  if (password.startsWith(TOKEN_MARK)) return `begins with ${TOKEN_MARK}, as only tokens do`;
  // bcrypt would ignore the rest without a word.
  if (truncates(password)) return `has ${Buffer.byteLength(password)} bytes; bcrypt takes 72 at the most`;
  return undefined;
}

/** `$2y$…`: the prefix that Apache's htpasswd writes and reads. The algorithm is that of `$2b$`. */
export async function hashPassword(password: Secret, cost: number = DEFAULT_COST): Promise<string> {
  return (await hash(password.reveal(), cost)).replace(/^\$2[ab]\$/, '$2y$');
}

export async function verifyPassword(password: Secret, hashed: string): Promise<boolean> {
  return compare(password.reveal(), hashed);
}
