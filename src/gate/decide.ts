import type { Policy } from '../access/policy.ts';
import { may, type Who } from '../access/rights.ts';
import { unreachable } from '../errors.ts';
import type { Refusal } from './refusal.ts';
import type { Reference, Route } from './route.ts';

/** What becomes of a request. */
export type Decision =
  /** It is the registry's to answer. `reads`: what may be served from its disk in its stead. */
  | { readonly kind: 'pass'; readonly reads?: Content }
  /** The gate deals with it itself. */
  | { readonly kind: 'handle'; readonly task: Task }
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

/** What somebody may pull, and asks for. */
export type Content =
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: Reference };

export type Task =
  | { readonly kind: 'list-repositories' }
  /** Who comes without a login, and may pull without one, is asked for a pass instead of a password. */
  | { readonly kind: 'offer-pass' }
  | { readonly kind: 'give-pass' }
  /** Names are changed under the eyes of the gate: it knows the digest, the outcome, and what must not change. */
  | { readonly kind: 'push-manifest'; readonly repository: string; readonly reference: Reference }
  | { readonly kind: 'delete'; readonly repository: string; readonly reference: Reference }
  /** As a registry that cannot mount: an ordinary upload begins (distribution-spec 1.1, end-11). */
  | { readonly kind: 'upload-without-mount'; readonly repository: string }
  /** The disk has little room: the gate counts what comes, or lets only through what takes no room. */
  | { readonly kind: 'watched-upload'; readonly repository: string }
  | { readonly kind: 'mount-only'; readonly repository: string };

/** Pure. What a request needs is in its route; what somebody may do is in the policy. */
export function decide(policy: Policy, who: Who, route: Route): Decision {
  switch (route.kind) {
    case 'base':
      // Docker learns from this answer alone that it has to send its password, so nobody gets it without one.
      if (who.kind !== 'anonymous') return PASS;
      return offersPasses(policy) ? handle({ kind: 'offer-pass' }) : UNAUTHORIZED;
    case 'catalog':
      return who.kind === 'anonymous' ? UNAUTHORIZED : handle({ kind: 'list-repositories' });
    case 'tags':
    case 'referrers':
      return allowed(policy, who, 'pull', route.repository, PASS);
    case 'blob':
    case 'manifest':
      return onContent(policy, who, route);
    case 'upload-start':
      return allowed(policy, who, 'push', route.repository, startUpload(policy, who, route));
    case 'upload':
      return allowed(policy, who, 'push', route.repository, PASS);
    default:
      return unreachable(route);
  }
}

/** Where nobody may do anything without a login there is nothing but Basic. */
export function offersPasses({ anonymous }: Policy): boolean {
  return anonymous.length > 0;
}

const PASS: Decision = { kind: 'pass' };
const UNAUTHORIZED: Decision = { kind: 'refuse', refusal: { kind: 'unauthorized' } };

function onContent(policy: Policy, who: Who, route: Route & { kind: 'blob' | 'manifest' }): Decision {
  const { repository } = route;
  const reference: Reference =
    route.kind === 'blob' ? { kind: 'digest', digest: route.digest } : route.reference;
  switch (route.action) {
    case 'push':
      return allowed(
        policy,
        who,
        'push',
        repository,
        handle({ kind: 'push-manifest', repository, reference }),
      );
    case 'delete':
      return allowed(policy, who, 'delete', repository, handle({ kind: 'delete', repository, reference }));
    default:
      return allowed(policy, who, 'pull', repository, { kind: 'pass', reads: contentOf(route) });
  }
}

function contentOf(route: Route & { kind: 'blob' | 'manifest' }): Content {
  const { repository } = route;
  if (route.kind === 'blob') return { kind: 'blob', repository, digest: route.digest };
  return { kind: 'manifest', repository, reference: route.reference };
}

function startUpload(policy: Policy, who: Who, { repository, mount }: Route & { kind: 'upload-start' }) {
  const readable = mount?.from.every((source) => may(policy, who, 'pull', source)) ?? true;
  return readable ? PASS : handle({ kind: 'upload-without-mount', repository });
}

function allowed(
  policy: Policy,
  who: Who,
  action: 'pull' | 'push' | 'delete',
  repository: string,
  then: Decision,
): Decision {
  if (may(policy, who, action, repository)) return then;
  // Who comes without a password is asked for one: they may be somebody who may.
  if (who.kind === 'anonymous') return UNAUTHORIZED;
  return { kind: 'refuse', refusal: { kind: 'denied', action, repository } };
}

function handle(task: Task): Decision {
  return { kind: 'handle', task };
}
