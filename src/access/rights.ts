import { allows, type Grant, type Role } from './grant.ts';
import { matchText } from './pattern.ts';
import type { Policy } from './policy.ts';

export type Action = Role;

export type Who =
  | { readonly kind: 'anonymous' }
  /** `only`: what the token that was used is good for; nothing beyond it. */
  | { readonly kind: 'user'; readonly name: string; readonly only?: readonly Grant[] };

/** init-tls proves the registry as this user, who is there for that moment only, in a repository of its own. */
export const PROVER = 'moorage-proof';
export const PROOF_REPOSITORY = 'moorage/proof';

/** Whether somebody may do that there. Asked on every request. */
export function may(policy: Policy, who: Who, action: Action, repository: string): boolean {
  switch (who.kind) {
    case 'anonymous':
      return granted(policy.anonymous, action, repository);
    case 'user':
      if (who.only !== undefined && !granted(who.only, action, repository)) return false;
      if (who.name === PROVER) return repository === PROOF_REPOSITORY;
      return (
        granted(policy.users.get(who.name), action, repository) ||
        granted(policy.everyone, action, repository) ||
        // What the whole world may see, a user may see as well.
        granted(policy.anonymous, action, repository)
      );
  }
}

/** Whether a tag there keeps its digest once it has one. */
export function isImmutable({ immutable }: Policy, repository: string, tag: string): boolean {
  return immutable.some(({ repositories, tags }) => repositories.matches(repository) && matchText(tags, tag));
}

function granted(grants: readonly Grant[] | undefined, action: Action, repository: string): boolean {
  return grants?.some((grant) => allows(grant, action, repository)) ?? false;
}
