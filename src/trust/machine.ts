import type { Made } from '../host/made.ts';
import type { Clock } from '../system/clock.ts';
import type { Run } from '../system/processes.ts';
import type { Authority } from './authority.ts';

/** The machine that is to trust a registry. */
export interface TrustMachine {
  readonly run: Run;
  readonly clock: Clock;
  readonly made: Made;
  /** `/`, but in tests. */
  readonly root: string;
  /** `~/.config`: where a rootless engine looks. */
  readonly configHome: string;
}

/** The registry that it is to trust. */
export interface TrustedRegistry {
  /** Tells what was made for it from what was made for others. */
  readonly id: string;
  /** All of its names, as they stand before the `/` of an image's name; the usual one first. */
  readonly authorities: readonly string[];
  /** The same without ports. */
  readonly names: readonly string[];
  readonly ca: Authority;
}

/** The registry of this checkout, whatever it is called today. */
export const OWN = 'this registry';

/** For `Made`. */
export function purposeOf(id: string, kind?: 'clients' | 'system' | 'hosts'): string {
  return kind === undefined ? `trust/${id}` : `trust/${id}/${kind}`;
}
