import { formatGrant } from '../access/grant.ts';
import { OPEN_POLICY, type Policy, parsePolicy } from '../access/policy.ts';
import { rightsOf } from '../access/rights.ts';
import { WrongInput } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { readIfExists } from '../system/files.ts';
import { lastUsedFile, readLastUsed } from './last-used.ts';
import { listTokens, type Token } from './tokens.ts';
import { listUsers, type User } from './users.ts';

/** All there is to know about who may use the registry. */
export interface Overview {
  /** There is no access.yaml: every user may do everything. */
  readonly open: boolean;
  readonly users: readonly KnownUser[];
  /** Whom access.yaml names though they are no users: gone, or misspelt. */
  readonly strangers: readonly string[];
}

export interface KnownUser extends User {
  /** Grants by name, by group and as everyone, each once. */
  readonly allow: readonly string[];
  readonly tokens: readonly KnownToken[];
}

/** Without `digest`. `allow` is absent where the token has all rights of its user. */
export interface KnownToken extends Pick<Token, 'id' | 'created'> {
  readonly allow?: readonly string[];
  readonly expires?: Date;
  readonly lastUsed?: Date;
}

/** @throws WrongInput when one of the files can't be read */
export async function readOverview({ usersFile, accessFile, tokensFile, gate }: Paths): Promise<Overview> {
  const users = await listUsers(usersFile);
  const policy = await readPolicy(accessFile);
  const tokens = await listTokens(tokensFile);
  const lastUsed = await readLastUsed(lastUsedFile(gate));
  return {
    open: policy === OPEN_POLICY,
    users: users.map((user) => ({
      ...user,
      allow: rightsOf(policy, user.name),
      tokens: tokens
        .filter((token) => token.user === user.name)
        .map((token) => describe(token, lastUsed.get(token.id))),
    })),
    strangers: [...policy.users.keys()].filter((name) => users.every((user) => user.name !== name)),
  };
}

/**
 * The policy of access.yaml, and `OPEN_POLICY` where there is none.
 * @throws WrongInput when it can't be read
 */
export async function readPolicy(file: string): Promise<Policy> {
  const text = await readIfExists(file);
  return text === undefined ? OPEN_POLICY : parsePolicy(text, file);
}

/** Whether access.yaml names somebody. Removing a user doesn't wait until it can be read. */
export async function namedIn(file: string, name: string): Promise<boolean> {
  try {
    return (await readPolicy(file)).users.has(name);
  } catch (error) {
    if (error instanceof WrongInput) return false;
    throw error;
  }
}

function describe({ id, created, allow, expires }: Token, lastUsed: Date | undefined): KnownToken {
  return {
    id,
    created,
    ...(allow === undefined ? {} : { allow: allow.map(formatGrant) }),
    ...(expires === undefined ? {} : { expires }),
    ...(lastUsed === undefined ? {} : { lastUsed }),
  };
}
