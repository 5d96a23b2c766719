import type { Engine } from '../engine/engine.ts';
import type { Events } from '../events.ts';
import type { Tree } from '../inventory/tree.ts';
import type { Journal } from '../journal.ts';
import type { Paths } from '../paths.ts';
import type { Settings } from '../settings/settings.ts';
import type { Clock } from '../system/clock.ts';
import type { RegistryPart } from './registry-part.ts';

/** What a collection touches. */
export interface CollectionParts {
  readonly engine: Engine;
  readonly registry: RegistryPart;
  readonly paths: Paths;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly events: Events;
  /** The registry's files as they are now. */
  readonly openTree: () => Promise<Tree>;
  /** The last lines of a part's log. */
  readonly log: (part: 'registry' | 'gate') => Promise<string>;
}

/** The last part of the name of its lease, its lock and its journal. */
export const HOLDER = 'gc';
/** What collect.sh calls its own lease. */
export const COLLECTOR = 'collector';

/** What a collection is doing; in the journal before it is begun. */
export type Step = 'drain' | 'close' | 'quieten' | 'collect' | 'wake' | 'verify';
