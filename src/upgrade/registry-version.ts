import { coerce, lt } from 'semver';

/** What a change of distribution's version means for what it stores. */
export type Leap =
  | { readonly kind: 'small' }
  /** To be agreed to. */
  | { readonly kind: 'large' | 'back'; readonly words: string }
  /** Images would be lost to their users. */
  | { readonly kind: 'unsafe'; readonly words: string };

/** The first that knows OCI manifests: older ones can't read what newer clients have pushed. */
const KNOWS_OCI = '2.7.0';

/**
 * distribution stores images in the same layout since 2.1, and 2.8 reads all that 3 writes (`registry/storage/paths.go` of
 * both). What 3 does no more is to serve manifests of Docker's schema 1, which 2.8 does not do by default either.
 * @param now version, or tag; `undefined` where nobody knows
 */
export function leapOf(now: string | undefined, then: string | undefined): Leap {
  const [from, to] = [coerce(now), coerce(then)];
  if (to !== null && lt(to, KNOWS_OCI)) {
    const words = `distribution ${then} does not know OCI images; the first that does is ${KNOWS_OCI}`;
    return { kind: 'unsafe', words };
  }
  if (from === null || to === null) return { kind: 'small' };
  if (lt(to, from)) return { kind: 'back', words: `distribution goes back from ${now} to ${then}` };
  if (to.major === from.major) return { kind: 'small' };
  return { kind: 'large', words: `distribution goes from ${now} to ${then}, another major version` };
}

/** The tag of a reference, for an image that is not here yet. */
function tagOf(reference: string): string | undefined {
  return /:([\w][\w.-]*)(?:@|$)/.exec(reference.slice(reference.lastIndexOf('/') + 1))?.[1];
}

interface RegistryRow {
  readonly part: string;
  readonly now: { readonly reference: string; readonly version: string | undefined } | undefined;
  readonly next: { readonly reference: string; readonly version: string | undefined };
}

/** What a plan means for what distribution stores. Where nobody can ask the image its tag has to do. */
export function leapOfPlan(plan: readonly RegistryRow[]): Leap {
  const registry = plan.find(({ part }) => part === 'registry');
  if (registry?.now === undefined) return { kind: 'small' };
  const { now, next } = registry;
  if (now.reference === next.reference && next.version === undefined) return { kind: 'small' };
  return leapOf(now.version ?? tagOf(now.reference), next.version ?? tagOf(next.reference));
}
