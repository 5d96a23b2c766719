import { WrongInput } from '../errors.ts';
import { userNameProblem } from '../users/users.ts';

/** For commander: a name that can't be one is refused before the command begins. */
export function userName(value: string): string {
  const problem = userNameProblem(value);
  if (problem !== undefined)
    throw new WrongInput([{ input: 'name', message: `${JSON.stringify(value)} ${problem}` }]);
  return value;
}
