import type { Destination } from '../remote/destination.ts';

/** What is done on a machine beyond the registry itself: `--with cacerts,proxy`. */
export type Extra = 'cacerts' | 'proxy';

export const EXTRAS: readonly Extra[] = ['cacerts', 'proxy'];

/** The far checkout where nobody says where. */
export const DEFAULT_FOLDER = '/srv/moorage';

/** A machine that Moorage is deployed to, as an inventory or the command line names it. */
export interface Target {
  /** What people call it: its name in the inventory, or the destination as it was written. */
  readonly name: string;
  readonly destination: Destination;
  readonly groups: readonly string[];
  readonly variables: HostVariables;
}

/** What an inventory says about a machine, that of its groups included. */
export interface HostVariables {
  /** Absolute path of the far checkout; `undefined` leaves it to `--dir`. */
  readonly folder: string | undefined;
  /** Settings by name, as `.env` has them. */
  readonly settings: Readonly<Record<string, string>>;
  readonly extras: ReadonlySet<Extra>;
}
