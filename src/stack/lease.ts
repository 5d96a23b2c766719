/**
 * What a lease asks for. `closing`: no upload begins; what is on its way ends. `closed`: nothing is written. `collecting`:
 * nor by requests that were already past nginx; the registry takes none, and remembers nothing of its storage.
 */
export type Phase = 'closing' | 'closed' | 'collecting';

/** How long a lease counts after its holder was killed. Also how long writes are then refused for nothing. */
export const LEASE_SECONDS = 30;
/** A holder that missed nearly as many touches must not believe that it still holds it. */
const MARGIN = 2_000;

/** The content of a lease's file; registry/config/lease.sh reads it. */
export function leaseLine(phase: Phase, now: Date): string {
  const from = Math.floor(now.getTime() / 1000);
  return `${phase} ${from} ${from + LEASE_SECONDS}\n`;
}

/** Whether a lease that was written at one time may have ended at another: it ran out, or the clock was set back. */
export function hasLapsed(written: Date, now: Date): boolean {
  const age = now.getTime() - written.getTime();
  return age > LEASE_SECONDS * 1000 - MARGIN || age < -1000;
}

/** Whether the content of a lease's file counts at a time. */
export function counts(line: string, now: Date): boolean {
  const [, from, until] = line.trim().split(' ').map(Number);
  const seconds = Math.floor(now.getTime() / 1000);
  return from !== undefined && until !== undefined && seconds >= from && seconds < until;
}
