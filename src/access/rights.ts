import { unreachable } from '../errors.ts';
import { type Action, formatGrant, type Grant, grants } from './grant.ts';
import type { Policy } from './policy.ts';
import { CHECKER, PROOF_REPOSITORY, PROVER } from './prover.ts';

/** Who asks. `only`: what the token of a user allows; without it, all that the user may. */
export type Who =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'user'; readonly name: string; readonly only?: readonly Grant[] };

/**
 * Whether `who` may do this in a repository. What needs no login is open to every user and token as well. The prover has
 * its own repository, whatever the policy says, and nothing else; the checker may pull, and nothing else.
 */
export function may(policy: Policy, who: Who, action: Action, repository: string): boolean {
  switch (who.kind) {
    case 'anonymous':
      return anyoneMay(policy, action, repository);
    case 'user':
      if (who.name === PROVER) return repository === PROOF_REPOSITORY && action !== 'admin';
      if (who.name === CHECKER) return action === 'pull';
      if (anyoneMay(policy, action, repository)) return true;
      if (who.only !== undefined && !granted(who.only, action, repository)) return false;
      return (
        granted(policy.users.get(who.name) ?? [], action, repository) ||
        granted(policy.everyone, action, repository)
      );
    default:
      return unreachable(who);
  }
}

/** What a user may by name, by group and as everyone, as a person writes it. */
export function rightsOf({ users, everyone }: Policy, name: string): string[] {
  return [...new Set([...(users.get(name) ?? []), ...everyone].map(formatGrant))];
}

/** Whether a tag, once it is there, stays what it is for all but `admin`. */
export function isImmutable({ immutable }: Policy, repository: string, tag: string): boolean {
  if (repository === PROOF_REPOSITORY) return false; // the next proof pushes the same tag
  return immutable.some((rule) => rule.repository(repository) && rule.tag(tag));
}

/** Whether any tag there is immutable once it is there. */
export function hasImmutableTags({ immutable }: Policy, repository: string): boolean {
  return repository !== PROOF_REPOSITORY && immutable.some((rule) => rule.repository(repository));
}

/** Whatever a policy's file says: without a login nothing is ever changed. */
function anyoneMay({ anonymous }: Policy, action: Action, repository: string): boolean {
  return action === 'pull' && granted(anonymous, action, repository);
}

function granted(all: readonly Grant[], action: Action, repository: string): boolean {
  return all.some((grant) => grants(grant, action, repository));
}
