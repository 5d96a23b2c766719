import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Grant, parseGrant } from '../access/grant.ts';
import { WrongInput } from '../errors.ts';

/** A password that ends, and that is good for less than its user. */
export interface Token {
  readonly id: string;
  readonly user: string;
  /** SHA-256 of the secret, in hex: 256 random bits need no stretching. */
  readonly digest: string;
  /** `undefined`: all that its user may do. */
  readonly allow: readonly Grant[] | undefined;
  readonly created: Date;
  /** `undefined`: never. */
  readonly expires: Date | undefined;
}

/** Scanners for leaked secrets look for such beginnings. */
const PREFIX = 'mrg_';
const FORM = /^mrg_([0-9a-z]{8})_([A-Za-z0-9_-]{43})$/;

const record = z.strictObject({
  id: z.string().regex(/^[0-9a-z]{8}$/),
  user: z.string().min(1),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  allow: z.array(z.string()).optional(),
  created: z.iso.datetime(),
  expires: z.iso.datetime().optional(),
});
const fileForm = z.strictObject({ tokens: z.array(record) });

/** Whether a password is, or pretends to be, a token: no person's password may begin so. */
export function looksLikeToken(password: string): boolean {
  return password.startsWith(PREFIX);
}

/** @returns `undefined` when it is no token */
export function readTokenPassword(password: string): { id: string; digest: string } | undefined {
  const [, id, secret] = FORM.exec(password) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, digest: digest(secret) };
}

export function isExpired({ expires }: Token, now: Date): boolean {
  return expires !== undefined && expires <= now;
}

/** @throws WrongInput naming the file and what in it is wrong */
export function parseTokens(text: string, file: string): Token[] {
  const refuse = (message: string): never => {
    throw new WrongInput([{ input: file, message: `${message}; make tokens with npm run user -- token` }]);
  };
  const json = (() => {
    try {
      return JSON.parse(text);
    } catch (error) {
      return refuse(`is not JSON: ${String(error)}`);
    }
  })();
  const parsed = fileForm.safeParse(json);
  if (!parsed.success) return refuse(z.prettifyError(parsed.error));
  return parsed.data.tokens.map(({ allow, created, expires, ...rest }) => ({
    ...rest,
    allow: allow?.map((each) => {
      const grant = parseGrant(each);
      return typeof grant === 'string' ? refuse(grant) : grant;
    }),
    created: new Date(created),
    expires: expires === undefined ? undefined : new Date(expires),
  }));
}

function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
