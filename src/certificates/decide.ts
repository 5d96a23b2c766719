import { type Certificate, canonicalName } from './certificate.ts';
import { type Origin, sameOrigin } from './issuer.ts';
import type { Current } from './store.ts';

/** What to do about the certificate, with the reason in words. */
export type Decision =
  | { readonly kind: 'keep'; readonly due: Date; readonly reason: string }
  | { readonly kind: 'issue'; readonly cause: Cause; readonly reason: string };

type Cause = 'placeholder' | 'missing' | 'damaged' | 'issuer' | 'names' | 'expired' | 'due';

export interface Wanted {
  readonly names: readonly string[];
  readonly origin: Origin;
}

const DAY = 24 * 3_600_000;

/** Decides from what is on the disk and what is wanted. Pure. The first reason that applies is the one told. */
export function decide({ current, wanted, now }: { current: Current; wanted: Wanted; now: Date }): Decision {
  if (current.kind === 'missing') return issue('missing', 'there is no certificate yet');
  if (current.kind === 'damaged')
    return issue('damaged', `the certificate on the disk is damaged: ${current.reason}`);
  const { certificate, origin } = current.generation;
  if (origin.issuer === 'placeholder') return issue('placeholder', 'only the placeholder is there');
  if (!sameOrigin(origin, wanted.origin)) {
    return issue('issuer', `it was issued by ${describe(origin)}, wanted is ${describe(wanted.origin)}`);
  }
  const different = nameDifference(certificate.names, wanted.names);
  if (different !== undefined) return issue('names', different);
  if (now >= certificate.notAfter) return issue('expired', `it expired on ${day(certificate.notAfter)}`);
  const due = dueAt(certificate);
  if (now >= due)
    return issue('due', `it is valid until ${day(certificate.notAfter)} and due since ${day(due)}`);
  return { kind: 'keep', due, reason: `valid until ${day(certificate.notAfter)}, renewal due ${day(due)}` };
}

/** When to renew: after 2/3 of the lifetime, after half of one under ten days. */
export function dueAt({ notBefore, notAfter }: Pick<Certificate, 'notBefore' | 'notAfter'>): Date {
  const lifetime = notAfter.getTime() - notBefore.getTime();
  const share = lifetime < 10 * DAY ? 1 / 2 : 2 / 3;
  return new Date(notBefore.getTime() + lifetime * share);
}

function issue(cause: Cause, reason: string): Decision {
  return { kind: 'issue', cause, reason };
}

/** In what a certificate's names differ from the wanted ones; `undefined` when they are the same set. */
export function nameDifference(has: readonly string[], wanted: readonly string[]): string | undefined {
  const present = new Set(has.map(canonicalName));
  const needed = new Set(wanted.map(canonicalName));
  const missing = [...needed].filter((name) => !present.has(name));
  if (missing.length > 0) return `it does not name ${missing.join(', ')}`;
  const surplus = [...present].filter((name) => !needed.has(name));
  return surplus.length > 0 ? `it names ${surplus.join(', ')}, which is not wanted any more` : undefined;
}

function describe(origin: Origin): string {
  return origin.issuer === 'certbot' ? `certbot from ${new URL(origin.directory).host}` : origin.issuer;
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
