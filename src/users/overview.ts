import { join } from 'node:path';
import { z } from 'zod';
import { formatGrant } from '../access/grant.ts';
import { OPEN_POLICY, parsePolicy } from '../access/policy.ts';
import type { Paths } from '../paths.ts';
import { readIfExists } from '../system/files.ts';
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

const lastUsedFile = z.record(
  z.string(),
  z.iso.datetime().transform((text) => new Date(text)),
);

/** @throws WrongInput when one of the files can't be read */
export async function readOverview(paths: Paths): Promise<Overview> {
  const users = await listUsers(paths.usersFile);
  const text = await readIfExists(paths.accessFile);
  const policy = text === undefined ? OPEN_POLICY : parsePolicy(text, paths.accessFile);
  const tokens = await listTokens(paths.tokensFile);
  const lastUsed = lastUsedFile.parse(
    JSON.parse((await readIfExists(join(paths.gate, 'last-used.json'))) ?? '{}'),
  );
  return {
    open: text === undefined,
    users: users.map((user) => ({
      ...user,
      allow: [...new Set([...(policy.users.get(user.name) ?? []), ...policy.everyone].map(formatGrant))],
      tokens: tokens
        .filter((token) => token.user === user.name)
        .map((token) => describe(token, new Map(Object.entries(lastUsed)).get(token.id))),
    })),
    strangers: [...policy.users.keys()].filter((name) => users.every((user) => user.name !== name)),
  };
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
