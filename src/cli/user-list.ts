import type { KnownToken, KnownUser, Overview } from '../users/overview.ts';
import { isExpired } from '../users/tokens.ts';
import { Terminal } from './terminal.ts';

export function showUsers({ users, open, strangers }: Overview, json: boolean, now: Date): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(users, null, 2)}\n`);
    return;
  }
  const terminal = new Terminal(process.stdout);
  if (users.length === 0) terminal.line('No users yet. Add one: npm run user -- add NAME');
  terminal.table(users.map((user) => [user.name, describeUser(user, now)]));
  if (open) terminal.line('Without access.yaml every user may do everything; `allow` makes one.');
  if (strangers.length > 0) terminal.line(`access.yaml also names ${strangers.join(', ')}: no such user.`);
}

function describeUser({ allow, cost, tokens }: KnownUser, now: Date): string {
  const rights = allow.length === 0 ? 'nothing' : allow.join(', ');
  return [
    `${rights} (password: bcrypt, cost ${cost})`,
    ...tokens.map((token) => describeToken(token, now)),
  ].join('\n');
}

function describeToken({ id, allow, expires, lastUsed }: KnownToken, now: Date): string {
  const used = lastUsed === undefined ? 'never used' : `last used ${minute(lastUsed)}`;
  const end =
    expires === undefined
      ? 'never expires'
      : `${isExpired({ expires }, now) ? 'expired' : 'expires'} ${minute(expires)}`;
  return `token ${id}: ${allow?.join(', ') ?? 'all of these'}; ${used}; ${end}`;
}

/** In UTC, as logs have it: `2026-07-01 12:00Z`. */
export function minute(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace('T', ' ')}Z`;
}
