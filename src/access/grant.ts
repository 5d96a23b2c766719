import { compileRepositoryPattern, type Matches, repositoryPatternProblem } from './pattern.ts';

/** What a request wants to do. `admin`: change an immutable tag. */
export type Action = 'pull' | 'push' | 'delete' | 'admin';

export type Role = keyof typeof INCLUDED;

/** A role in the repositories of a pattern: `push:team/**`. */
export interface Grant {
  readonly role: Role;
  readonly pattern: string;
  readonly matches: Matches;
}

const INCLUDED = {
  pull: ['pull'],
  push: ['pull', 'push'],
  delete: ['pull', 'delete'],
  admin: ['pull', 'push', 'delete', 'admin'],
} as const satisfies Record<Action, readonly Action[]>;

const EVERYWHERE = '**';

/** `ROLE:PATTERN`, or a role alone, which is in every repository. A string says what is wrong. */
export function parseGrant(text: string): Grant | string {
  const [role = '', ...rest] = text.split(':');
  if (!isRole(role)) {
    const near = role.trim().toLowerCase();
    return isRole(near)
      ? `the role is written ${near}`
      : `a role is one of ${Object.keys(INCLUDED).join(', ')}`;
  }
  const pattern = rest.length === 0 ? EVERYWHERE : rest.join(':');
  return repositoryPatternProblem(pattern) ?? { role, pattern, matches: compileRepositoryPattern(pattern) };
}

/** As a person writes it; `parseGrant` reads it back. */
export function formatGrant({ role, pattern }: Grant): string {
  return pattern === EVERYWHERE ? role : `${role}:${pattern}`;
}

export function grants({ role, matches }: Grant, action: Action, repository: string): boolean {
  const included: readonly Action[] = INCLUDED[role];
  return included.includes(action) && matches(repository);
}

function isRole(text: string): text is Role {
  return Object.hasOwn(INCLUDED, text);
}
