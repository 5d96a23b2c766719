import { isTemporary } from '../access/prover.ts';
import { WrongInput } from '../errors.ts';
import { userNameProblem } from '../users/users.ts';

/** For commander: a name that can't be one is refused before the command begins. */
export function userName(value: string): string {
  const problem = isTemporary(value) ? 'is a name of our own: it comes and goes' : userNameProblem(value);
  if (problem !== undefined)
    throw new WrongInput([{ input: 'name', message: `${JSON.stringify(value)} ${problem}` }]);
  return value;
}

export interface UserOrToken {
  readonly user: string;
  /** Of one of the user's tokens. */
  readonly id?: string;
}

/** `NAME` or `NAME:ID`. */
export function userOrToken(value: string): UserOrToken {
  const [user = '', ...id] = value.split(':');
  return id.length === 0 ? { user } : { user, id: id.join(':') };
}
