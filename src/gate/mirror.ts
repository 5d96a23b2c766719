import type { Decision } from './decide.ts';
import type { Route } from './route.ts';

/** Where a request goes that is let through: to the registry, or to the mirror of another one. */
export type Part = 'registry' | 'mirror';

/**
 * What becomes of a request for the mirror, once it is decided as one for the registry. Nothing of the registry's may
 * come in place of the mirror's: what may be pulled passes to the mirror, and beside that there are only logins.
 */
export function aboutMirror({ action }: Pick<Route, 'action'>, decision: Decision): Decision {
  if (decision.kind === 'refuse') return decision;
  if (action === 'pull') return { kind: 'pass' };
  return action === 'none'
    ? decision
    : { kind: 'refuse', refusal: { kind: 'malformed', problem: READ_ONLY } };
}

const READ_ONLY = {
  status: 405,
  code: 'UNSUPPORTED',
  message: 'A mirror is only read.',
  allow: ['GET', 'HEAD'],
} as const;
