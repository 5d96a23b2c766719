import type { Paths } from '../paths.ts';
import { lastUsedFile, readLastUsed } from '../users/last-used.ts';
import { isExpired, listTokens, type Token, tokenName } from '../users/tokens.ts';
import { listUsers } from '../users/users.ts';

/** Who may log in, in numbers. Names of tokens are `USER:ID`. */
export interface UsersState {
  readonly users: number;
  readonly tokens: number;
  /** Tokens whose time is over. */
  readonly expired: readonly string[];
  /** Tokens that end within a week, the first to end first. */
  readonly expiring: readonly { readonly name: string; readonly expires: Date }[];
  /** Of all tokens the use that was last. */
  readonly lastUse: { readonly name: string; readonly at: Date } | undefined;
}

const SOON = 7 * 24 * 3_600_000;

/** @throws WrongInput when one of the files can't be read */
export async function readUsersState(
  { usersFile, tokensFile, gate }: Pick<Paths, 'usersFile' | 'tokensFile' | 'gate'>,
  now: Date,
): Promise<UsersState> {
  const [users, tokens] = await Promise.all([listUsers(usersFile), listTokens(tokensFile)]);
  const lastUsed = await readLastUsed(lastUsedFile(gate));
  return { users: users.length, ...tokensState(tokens, lastUsed, now) };
}

/** Pure. */
export function tokensState(
  tokens: readonly Token[],
  lastUsed: ReadonlyMap<string, Date>,
  now: Date,
): Omit<UsersState, 'users'> {
  const until = now.getTime() + SOON;
  const ends = tokens.flatMap((token) =>
    token.expires === undefined ? [] : [{ name: tokenName(token), expires: token.expires }],
  );
  const uses = tokens.flatMap((token) => {
    const at = lastUsed.get(token.id);
    return at === undefined ? [] : [{ name: tokenName(token), at }];
  });
  return {
    tokens: tokens.length,
    expired: ends.filter((token) => isExpired(token, now)).map(({ name }) => name),
    expiring: ends
      .filter((token) => !isExpired(token, now) && token.expires.getTime() <= until)
      .sort((one, other) => one.expires.getTime() - other.expires.getTime()),
    lastUse: uses.sort((one, other) => other.at.getTime() - one.at.getTime())[0],
  };
}
