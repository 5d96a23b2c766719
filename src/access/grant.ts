import { compilePattern, type Pattern, patternProblem } from './pattern.ts';

/** push and delete include pull; admin is all of it, and may change immutable tags. */
export const ROLES = ['pull', 'push', 'delete', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** What somebody may do in the repositories that a pattern matches. */
export interface Grant {
  readonly role: Role;
  readonly pattern: Pattern;
}

/** `push:team/**`; a role alone is for every repository. Answers what is wrong with it, if something is. */
export function parseGrant(text: string): Grant | string {
  const colon = text.indexOf(':');
  const word = colon < 0 ? text : text.slice(0, colon);
  const pattern = colon < 0 ? '**' : text.slice(colon + 1);
  const role = ROLES.find((each) => each === word);
  if (role === undefined)
    return `"${text}" does not begin with a role; give ${ROLES.join(', ')}, or one of them with a pattern: push:team/**`;
  const problem = patternProblem(pattern);
  return problem === undefined
    ? { role, pattern: compilePattern(pattern) }
    : `"${text}": the pattern ${problem}`;
}

export function formatGrant({ role, pattern }: Grant): string {
  return pattern.text === '**' ? role : `${role}:${pattern.text}`;
}

/** Whether the grant allows `action` in `repository`. */
export function allows({ role, pattern }: Grant, action: Role, repository: string): boolean {
  const covers = role === action || role === 'admin' || action === 'pull';
  return covers && pattern.matches(repository);
}
