import { type Certificate, canonicalName } from './certificate.ts';
import { describeOrigin, type Origin, type SuggestedWindow, sameOrigin } from './issuer.ts';
import { scheduleOf } from './schedule.ts';
import type { Current } from './store.ts';
import { day } from './words.ts';

/** What to do about the certificate, with the reason in words. */
export type Decision =
  | { readonly kind: 'keep'; readonly due: Date | undefined; readonly reason: string }
  /** No certificate is wanted at all. */
  | { readonly kind: 'none'; readonly reason: string }
  | { readonly kind: 'issue'; readonly cause: Cause; readonly reason: string };

export type Cause =
  | 'placeholder'
  | 'missing'
  | 'damaged'
  | 'issuer'
  | 'names'
  | 'expired'
  | 'changed'
  | 'due';

export interface Wanted {
  readonly names: readonly string[];
  /** The issuer that was chosen, then those that may stand in for it. */
  readonly origins: readonly [Origin, ...Origin[]];
}

export interface Facts {
  readonly current: Current;
  readonly wanted: Wanted;
  /** The CA's window for the current certificate, when it gave one. */
  readonly window: Pick<SuggestedWindow, 'start' | 'end' | 'explanation'> | undefined;
  /** Fingerprint of a certificate that somebody else put there to be served. */
  readonly offered: string | undefined;
  readonly now: Date;
}

const NO_TLS = 'none, as TLS_ISSUER=none wants it: whoever is on the way reads passwords and images';

/** Decides from what is on the disk and what is wanted. Pure. The first reason that applies is the one told. */
export function decide({ current, wanted, window, offered, now }: Facts): Decision {
  if (wanted.origins[0].issuer === 'none') return { kind: 'none', reason: NO_TLS };
  if (current.kind === 'missing') return issue('missing', 'there is no certificate yet');
  if (current.kind === 'damaged')
    return issue('damaged', `the certificate on the disk is damaged: ${current.reason}`);
  const { certificate, origin } = current.generation;
  if (origin.issuer === 'placeholder') return issue('placeholder', 'only the placeholder is there');
  if (!wanted.origins.some((each) => sameOrigin(each, origin))) {
    const [first] = wanted.origins;
    return issue('issuer', `it was issued by ${describeOrigin(origin)}, wanted is ${describeOrigin(first)}`);
  }
  if (origin.issuer === 'provided') return decideProvided(certificate, wanted.names, offered, now);
  const different = nameDifference(certificate.names, wanted.names);
  if (different !== undefined) return issue('names', different);
  if (now >= certificate.notAfter) return issue('expired', `it expired on ${day(certificate.notAfter)}`);
  const { due, reason } = scheduleOf(certificate, window);
  const until = `valid until ${day(certificate.notAfter)}`;
  if (now >= due) return issue('due', `it is ${until} and due: ${reason}`);
  return { kind: 'keep', due, reason: `${until}, ${reason}` };
}

/** Whoever provides the files renews them; here they are only followed. */
function decideProvided(
  certificate: Certificate,
  names: readonly string[],
  offered: string | undefined,
  now: Date,
): Decision {
  const missing = names.filter((name) => !certificate.names.some((each) => matches(each, name)));
  if (missing.length > 0) return issue('names', `it does not name ${missing.join(', ')}`);
  if (offered !== undefined && offered !== certificate.fingerprint)
    return issue('changed', 'the provided files hold another certificate');
  const ends = day(certificate.notAfter);
  const until = now < certificate.notAfter ? `valid until ${ends}` : `expired on ${ends}`;
  return { kind: 'keep', due: undefined, reason: `${until}, followed from TLS_CERT_FILE` };
}

/** A wildcard stands for one label (RFC 9525 section 6.3). */
function matches(pattern: string, name: string): boolean {
  const wanted = canonicalName(name);
  return (
    pattern === wanted || (pattern.startsWith('*.') && pattern.slice(1) === wanted.replace(/^[^.]+/, ''))
  );
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
