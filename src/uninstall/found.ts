import type { Held } from '../engine/holdings.ts';
import type { Failure } from '../errors.ts';
import type { Thing } from '../host/made.ts';
import type { Journalled } from './half-done.ts';

/** What there is of a checkout on this machine. */
export interface Found {
  readonly checkout: string;
  /** The name of the registry. */
  readonly domain: string;
  /** By the settings; `undefined` without any: then the containers alone say what the stack is called. */
  readonly project: string | undefined;
  /** What stands in the settings, unjudged. */
  readonly values: Readonly<Record<string, string>>;
  readonly engine: EngineFound;
  /** Files of units that run the daemon of this checkout. */
  readonly units: readonly string[];
  readonly made: readonly Thing[];
  /** Where distribution keeps images, those of the mirror too. */
  readonly data: readonly DataFound[];
  readonly users: readonly FileFound[];
  readonly state: readonly FileFound[];
  /** `.env`, and copies of it that a killed run left. */
  readonly settings: readonly FileFound[];
  /** What the settings name and is the person's own: it stays wherever it is. */
  readonly own: readonly string[];
  readonly halfDone: readonly Journalled[];
  /** The machine that the registry has moved to, or was to come from. */
  readonly movedTo: string | undefined;
  /** Other checkouts that built programs, and are still there. */
  readonly otherCheckouts: readonly string[];
  /** Folders in which these have their images, with links resolved. */
  readonly otherData: readonly { readonly folder: string; readonly checkout: string }[];
  /** How to take away Docker and restic. */
  readonly programs: string | undefined;
  /** The same for Node and npm that deploying brought. */
  readonly carried: string | undefined;
}

/** `none`: there is no engine on this machine any more. */
export type EngineFound =
  | { readonly kind: 'answers'; readonly held: Held }
  | { readonly kind: 'away'; readonly failure: Failure }
  | { readonly kind: 'none' };

export interface DataFound {
  /** The folder that the settings name, with links resolved. */
  readonly root: string;
  /** What distribution wrote in it. */
  readonly trees: readonly FileFound[];
  /** Links on the way to it, which nobody goes over. */
  readonly links: readonly string[];
}

export interface FileFound {
  readonly path: string;
  /** On the disk. */
  readonly bytes: number;
  /** It is a link: what it leads to is somebody else's. */
  readonly link: boolean;
}
