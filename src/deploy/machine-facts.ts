import type { Distribution } from '../host/distribution.ts';

/** What a machine to deploy to is and has. Sizes are bytes, times milliseconds. */
export interface MachineFacts {
  readonly distribution: Distribution;
  /** `Debian GNU/Linux 12 (bookworm)`. */
  readonly system: string;
  /** As `uname -m` says it: `x86_64`. */
  readonly machine: string;
  /** As Node calls it, where there is a Node for it. */
  readonly architecture: Architecture | undefined;
  readonly libc:
    | { readonly kind: 'glibc'; readonly version: string }
    | { readonly kind: 'musl' }
    | { readonly kind: 'unknown' };
  readonly systemd: boolean;
  readonly memory: number;
  readonly swap: number;
  /** The file systems on which the project, Docker's images and programs are or will be. */
  readonly space: Readonly<Record<'folder' | 'docker' | 'programs', Space>>;
  readonly ports: readonly PortFacts[];
  readonly clock: ClockFacts;
  readonly engine: {
    /** `20.10.24+dfsg1` of one that answers. */
    readonly version: string | undefined;
    /** Path of its program. */
    readonly dockerd: string | undefined;
    readonly compose: string | undefined;
    /** Version of the Podman that stands in for Docker there. */
    readonly podman: string | undefined;
  };
  readonly node: NodeFacts;
  readonly rsync: boolean;
  readonly folder: FolderFacts;
}

export type Architecture = 'x64' | 'arm64';

export interface Space {
  /** Two places with the same one share their space. */
  readonly fileSystem: string;
  readonly free: number;
}

export interface PortFacts {
  readonly port: number;
  readonly holder:
    | { readonly kind: 'nobody' }
    /** This very stack. */
    | { readonly kind: 'ours' }
    | { readonly kind: 'container'; readonly name: string }
    | { readonly kind: 'program'; readonly name: string };
}

export interface ClockFacts {
  /** How far it is ahead of ours; negative: behind. */
  readonly ahead: number;
  /** By how much that may be wrong, because of the way there and back. */
  readonly uncertainty: number;
}

export interface NodeFacts {
  /** The program itself, links resolved, and `v22.1.0`. */
  readonly present: { readonly path: string; readonly version: string } | undefined;
  readonly npm: string | undefined;
  /** What its own packages would bring, as far as it knows. */
  readonly candidate: string | undefined;
  /** Names in /usr/local/bin that somebody else has. */
  readonly taken: readonly string[];
}

export interface FolderFacts {
  readonly path: string;
  readonly content:
    | { readonly kind: 'nothing' }
    | { readonly kind: 'moorage'; readonly version: string }
    /** Copying to it was begun and did not end. */
    | { readonly kind: 'half-copied' }
    /** Some of the names in it. */
    | { readonly kind: 'foreign'; readonly names: readonly string[] };
  /** Files of a git clone that would be replaced, and whose changes nobody has committed. */
  readonly uncommitted: readonly string[];
  /** What git says where it can't tell of any. */
  readonly gitFailed: string | undefined;
  /** A file that stands where a folder has to be. */
  readonly blocked: string | undefined;
  readonly readOnly: boolean;
  /** A disk that should be mounted on the way to it and is not. */
  readonly unmounted: string | undefined;
}
