import { timingSafeEqual } from 'node:crypto';
import type { Who } from '../access/rights.ts';
import { unreachable } from '../errors.ts';
import type { Clock } from '../system/clock.ts';
import { isExpired, readTokenPassword } from '../users/tokens.ts';
import type { Audit } from './audit.ts';
import { readCredentials } from './basic.ts';
import type { LastUse } from './last-use.ts';
import type { Refusal } from './refusal.ts';
import type { Rulebook, Rules } from './rulebook.ts';
import type { Login, Verifier } from './verifier.ts';

export type Identity =
  | { readonly kind: 'known'; readonly caller: Caller }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Somebody, or `anonymous`, who may try. */
export interface Caller {
  readonly who: Who;
  /** Id of the token that was used. */
  readonly token: string | undefined;
}

export interface IdentityParts {
  readonly rules: Rulebook;
  readonly verifier: Verifier;
  readonly audit: Audit;
  readonly lastUse: LastUse;
  readonly clock: Clock;
}

const WRONG: Identity = { kind: 'refused', refusal: { kind: 'wrong-login' } };

/** Who sends a request, by the header that came with it. */
export async function identify(
  parts: IdentityParts,
  rules: Rules,
  authorization: string | undefined,
  address: string,
): Promise<Identity> {
  const credentials = readCredentials(authorization);
  switch (credentials.kind) {
    case 'none':
      return caller({ kind: 'anonymous' });
    case 'malformed': // no guess: a pass of an earlier process, or another scheme
      return { kind: 'refused', refusal: { kind: 'unauthorized' } };
    case 'basic': {
      const { name, password } = credentials;
      const login = { name, password, address };
      const token = readTokenPassword(password.reveal());
      if (token === undefined) return byPassword(parts, rules, login);
      return byToken(parts, rules, login, token);
    }
    default:
      return unreachable(credentials);
  }
}

async function byPassword(parts: IdentityParts, rules: Rules, login: Login): Promise<Identity> {
  const hash = rules.users.get(login.name);
  const verdict = await parts.verifier.verify(login, hash);
  switch (verdict.kind) {
    case 'right':
      return caller({ kind: 'user', name: login.name });
    case 'wrong': {
      if (!verdict.first) return WRONG;
      // A user who was added or given a new password just now is in the file, and not yet in memory.
      await parts.rules.refresh();
      const fresh = parts.rules.current;
      if (fresh !== undefined && fresh.users.get(login.name) !== hash) return byPassword(parts, fresh, login);
      return loginFailed(parts, rules, login);
    }
    case 'throttled':
    case 'busy':
      return { kind: 'refused', refusal: { kind: 'throttled', seconds: verdict.seconds } };
    default:
      return unreachable(verdict);
  }
}

/** 256 random bits need neither bcrypt nor a throttle: their digest is looked up. */
async function byToken(
  parts: IdentityParts,
  rules: Rules,
  login: Login,
  { id, digest }: { id: string; digest: string },
): Promise<Identity> {
  const valid = (at: Rules) => {
    const token = at.tokens.get(id);
    const right =
      token !== undefined &&
      sameDigest(token.digest, digest) &&
      token.user === login.name &&
      at.users.has(token.user) &&
      !isExpired(token, parts.clock.now());
    return right ? token : undefined;
  };
  let token = valid(rules);
  if (token === undefined) {
    // One that was made just now: by this look, or by one that has seen it since the request came.
    await parts.rules.refresh();
    token = parts.rules.current && valid(parts.rules.current);
  }
  if (token === undefined) {
    const noted = { user: known(rules.users, login.name), token: known(rules.tokens, id) };
    return { kind: 'refused', refusal: { kind: 'wrong-login', noted } };
  }
  parts.lastUse.note(id);
  const only = token.allow === undefined ? {} : { only: token.allow };
  return caller({ kind: 'user', name: login.name, ...only }, id);
}

function caller(who: Who, token?: string): Identity {
  return { kind: 'known', caller: { who, token } };
}

/** Noted here, as only the first of nginx's two questions tells that a password failed for the first time. */
function loginFailed({ audit }: IdentityParts, { users }: Rules, { name, address }: Login): Identity {
  audit.write({ event: 'login-failed', user: known(users, name), address });
  return WRONG;
}

function known(ours: ReadonlyMap<string, unknown>, name: string): string | null {
  return ours.has(name) ? name : null;
}

function sameDigest(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
