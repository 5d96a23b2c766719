import { type Grant, parseGrant } from '../access/grant.ts';
import { WrongInput } from '../errors.ts';
import { parseLifetime } from '../users/lifetime.ts';

/** For commander, an argument or option of many grants: what is none is refused before the command begins. */
export function grantList(value: string, previous: readonly Grant[] | undefined): Grant[] {
  const grant = parseGrant(value);
  if (typeof grant === 'string')
    throw new WrongInput([{ input: value, message: `is not ROLE:PATTERN: ${grant}` }]);
  return [...(previous ?? []), grant];
}

/** Milliseconds; infinity for never. */
export function lifetime(value: string): number {
  const parsed = parseLifetime(value);
  if (typeof parsed === 'string')
    throw new WrongInput([{ input: '--expires', message: `${JSON.stringify(value)} ${parsed}` }]);
  return parsed;
}
