import { formatGrant, type Grant } from '../access/grant.ts';
import type { Policy } from '../access/policy.ts';
import { rightsOf } from '../access/rights.ts';
import { counted } from '../counted.ts';
import type { Secret } from '../secret.ts';
import { type Token, tokenName } from '../users/tokens.ts';
import { minute } from './user-list.ts';

/** The one time that its password is seen. */
export function showToken(token: Token, password: Secret): void {
  const may =
    token.allow === undefined
      ? `It may all that ${token.user} may.`
      : `Of what ${token.user} may it may ${token.allow.map(formatGrant).join(', ')}.`;
  const end = token.expires === undefined ? 'It never expires.' : `It expires ${minute(token.expires)}.`;
  process.stdout.write(
    [
      `${tokenName(token)} made, password ${password.reveal()}  (shown only now)`,
      `${may} ${end}`,
      `Use it as the password: docker login -u ${shellWord(token.user)} REGISTRY`,
      `Revoke it: npm run user -- remove ${shellWord(tokenName(token))}`,
      '',
    ].join('\n'),
  );
}

/** With an access.yaml a new user may have no rights. */
export function sayNewUser(name: string, policy: Policy): void {
  if (rightsOf(policy, name).length > 0) return;
  say(`access.yaml gives ${name} nothing yet: npm run user -- allow ${shellWord(name)} 'push:team/**'`);
}

/** @param admins who got `admin` because access.yaml was made, if it was */
export function sayAllowed(
  name: string,
  grants: readonly Grant[],
  admins: readonly string[] | undefined,
): void {
  say(`${name} may ${grants.map(formatGrant).join(', ')}`);
  if (admins === undefined) return;
  say(`registry/auth/access.yaml made: from now on everyone may only what it says, ${name} included.`);
  if (admins.length > 0) say(`As before everything: ${admins.join(', ')}.`);
}

export function sayDisallowed(name: string, grants: readonly Grant[], policy: Policy): void {
  say(`${name} no longer has ${grants.map(formatGrant).join(', ')}`);
  const left = rightsOf(policy, name);
  if (left.length > 0) say(`Still: ${left.join(', ')}.`);
}

export function sayRemoved(name: string, { tokens = 0, stillNamed = false } = {}): void {
  const also = tokens === 0 ? '' : `, and ${counted(tokens, 'token')}`;
  say(`${name} removed${also}`);
  if (stillNamed) say(`access.yaml still names ${name}: a new user of that name would have these rights.`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function shellWord(text: string): string {
  return /^[\w.@:+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
