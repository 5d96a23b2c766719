import { createHash } from 'node:crypto';
import type { Certificate } from './certificate.ts';
import type { SuggestedWindow } from './issuer.ts';
import { moment, period } from './words.ts';

type Lifetime = Pick<Certificate, 'notBefore' | 'notAfter' | 'fingerprint'>;
type Window = Pick<SuggestedWindow, 'start' | 'end' | 'explanation'>;

const DAY = 24 * 3_600_000;
/** A certificate that lives shorter is renewed at half its life, as Let's Encrypt advises for six-day ones. */
const SHORT_LIVED = 10 * DAY;
/** Certificates that were issued together are not renewed together. Share of the lifetime, either way. */
const SPREAD = 0.02;
/** However late a CA suggests: a sixth of the lifetime is kept for tries that fail. */
const CEILING = 5 / 6;

/** When a certificate is to be renewed, and why then. */
export interface Schedule {
  readonly due: Date;
  readonly reason: string;
}

/**
 * The moment to renew: drawn once inside the CA's window (RFC 9773 section 4.2), else after 2/3 of the lifetime, 1/2
 * of a short one, spread by 2 %. Never after 5/6. What is drawn depends on the certificate and the window alone, so it
 * is the same after a restart and changes with the window.
 */
export function scheduleOf(certificate: Lifetime, window: Window | undefined): Schedule {
  const ceiling = at(certificate, CEILING);
  if (window === undefined) {
    const due = earlier(withoutAdvice(certificate), ceiling);
    return { due, reason: `renewal due ${moment(due)}` };
  }
  const drawn = draw(certificate, window);
  const due = earlier(drawn, ceiling);
  const told = `renewal window ${period(window.start, window.end)}`;
  const chosen = due < drawn ? `not later than ${moment(due)}` : `drawn ${moment(drawn)}`;
  const explained = window.explanation === undefined ? '' : ` (${window.explanation})`;
  return { due, reason: `${told}${explained}, ${chosen}` };
}

/**
 * Whether a CA's window makes sense for this certificate. Nonsense is ignored (RFC 9773 section 4.2). A window around
 * the whole lifetime says nothing: what is drawn from it may be over at once, or leave no time for a second try.
 */
export function isSensible({ start, end }: Window, { notBefore, notAfter }: Lifetime): boolean {
  const says = start > notBefore || end < notAfter;
  return start < end && start < notAfter && says;
}

function withoutAdvice(certificate: Lifetime): Date {
  const lifetime = certificate.notAfter.getTime() - certificate.notBefore.getTime();
  const share = lifetime < SHORT_LIVED ? 1 / 2 : 2 / 3;
  return at(certificate, share + SPREAD * (2 * chance(certificate.fingerprint) - 1));
}

function draw({ fingerprint }: Lifetime, { start, end }: Window): Date {
  const seed = `${fingerprint} ${start.toISOString()} ${end.toISOString()}`;
  return new Date(start.getTime() + (end.getTime() - start.getTime()) * chance(seed));
}

/** A number from [0, 1) that looks random and is always the same for the same text. */
function chance(seed: string): number {
  return createHash('sha256').update(seed).digest().readUInt32BE() / 2 ** 32;
}

/** The moment when a share of the lifetime is over. */
export function at(
  { notBefore, notAfter }: Pick<Certificate, 'notBefore' | 'notAfter'>,
  share: number,
): Date {
  return new Date(notBefore.getTime() + (notAfter.getTime() - notBefore.getTime()) * share);
}

function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
}
