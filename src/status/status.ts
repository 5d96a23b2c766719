import type { Outlook } from '../certificates/outlook.ts';
import { Failure, messageOf } from '../errors.ts';
import type { Usage } from '../inventory/usage.ts';
import type { DiskState } from '../low-water.ts';
import type { MirrorState } from '../stack/mirror.ts';
import type { Move } from '../stack/moved.ts';
import type { PartState } from '../stack/parts.ts';
import type { OldPlace } from '../storage/old-places.ts';
import type { Forecast } from '../usage/forecast.ts';
import type { AccessState } from '../users/access-state.ts';
import type { Happening } from './happenings.ts';
import type { UnderWay } from './under-way.ts';
import type { UsersState } from './users.ts';

/** How things are, all of it as seen at one moment. What can't be read takes nothing else with it. */
export interface Status {
  readonly at: Date;
  readonly url: string;
  /** What stands in the way of the registry's answer. */
  readonly silence: string | undefined;
  readonly parts: Seen<readonly PartState[]>;
  readonly certificate: Seen<Outlook>;
  /** Who checks passwords and rights. */
  readonly auth: 'gate' | 'registry';
  /** What the gate has made of its files; `undefined` before it has looked at them. */
  readonly access: Seen<AccessState | undefined>;
  readonly users: Seen<UsersState>;
  readonly storage: Seen<Usage> | 'left-out' | 'being-read';
  readonly disk: DiskState;
  /** `undefined` where images are in a bucket. */
  readonly forecast: Forecast | undefined;
  /** Where there is one. */
  readonly mirror: Mirrored | undefined;
  /** Folders that images were moved from and that are kept. */
  readonly oldPlaces: readonly OldPlace[];
  readonly underWay: readonly UnderWay[];
  /** Where the registry has moved from this machine to another, or is on its way here. */
  readonly move: Move | undefined;
  /** The newest first. */
  readonly events: readonly Happening[];
}

interface Mirrored extends MirrorState {
  readonly at: string;
  readonly of: string;
}

/** What was looked at, or why it could not be. */
export type Seen<T> =
  | { readonly kind: 'seen'; readonly what: T }
  | { readonly kind: 'unseen'; readonly because: string; readonly remedy: string | undefined };

/** Does a look; a failure is an answer as well. */
export async function seen<T>(look: () => Promise<T>): Promise<Seen<T>> {
  try {
    return { kind: 'seen', what: await look() };
  } catch (error) {
    const remedy = error instanceof Failure ? error.remedy : undefined;
    return { kind: 'unseen', because: messageOf(error), remedy };
  }
}
