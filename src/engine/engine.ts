import type { Readable } from 'node:stream';
import type { Report } from '../step.ts';

/** What Moorage asks of a container engine. dockerode implements it; tests bring their own. */
export interface Engine {
  readonly images: Images;
  readonly containers: Containers;
  readonly leftovers: Leftovers;
  /** @throws Failure `engine-unreachable`, `engine-permission` or `podman` */
  version(): Promise<string>;
  machine(): Promise<EngineMachine>;
}

/** The machine that the engine is on. */
export interface EngineMachine {
  /** As images name theirs: `amd64`, `arm64`. */
  readonly architecture: string;
  /** Where it keeps images; `undefined` where it is reached over the network. */
  readonly dataFolder: string | undefined;
}

export interface Images {
  inspect(reference: string): Promise<ImageFacts | undefined>;
  /**
   * Pulls and makes sure that the image is there afterwards.
   * @throws Failure `registry-unreachable` when no image registry answers, `pull-failed` for everything else
   */
  pull(reference: string, report: Report): Promise<void>;
  /** Makes an image of one layer from the tar of a root file system. */
  importRoot(root: Readable, reference: string, labels: Labels): Promise<void>;
  /** @throws Failure `build-failed`, with the last lines of the build */
  build(context: Readable, options: BuildOptions, report: Report): Promise<void>;
  /**
   * Reads images from a tar in `docker save` form. An error of the stream ends it.
   * @throws Failure `load-failed`
   */
  load(archive: Readable): Promise<void>;
  /** Images by their names, in one tar of `docker save` form. */
  save(references: readonly string[]): Promise<Readable>;
  /** What each step of an image's making added, from the first on. */
  history(reference: string): Promise<readonly HistoryStep[]>;
  remove(reference: string): Promise<void>;
  /** Gives an image a name. One that another image had is taken from it. */
  tag(id: string, reference: string): Promise<void>;
  /** Every image of a repository (`moorage/gate`), once for each of its names. */
  ofRepository(repository: string): Promise<readonly NamedImage[]>;
  /** The digest that the image registry gives for a name now; `undefined` where none answers, or has no such image. */
  offered(reference: string): Promise<string | undefined>;
}

export interface NamedImage {
  readonly id: string;
  readonly reference: string;
  readonly labels: Labels;
}

export type Labels = Readonly<Record<string, string>>;

export interface ImageFacts {
  readonly id: string;
  /** `NAME@sha256:…` for each place it was pulled from or pushed to. */
  readonly repoDigests: readonly string[];
  readonly labels: Labels;
  /** As the engine's machine names its own: `amd64`. */
  readonly architecture: string;
  /** Digests of the layers' tars, uncompressed, from the lowest on. */
  readonly layers: readonly string[];
  /** RFC 3339; empty where the image does not say. */
  readonly created: string;
  /** Bytes, with layers that others have too. */
  readonly size: number;
}

export interface HistoryStep {
  /** The same for the same step of another image. */
  readonly key: string;
  /** Bytes. */
  readonly size: number;
}

export interface BuildOptions {
  readonly reference: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Labels;
  readonly target?: string;
  /** Whether each step is done anew, whatever the engine remembers of it. */
  readonly anew?: boolean;
}

export interface Containers {
  /** The containers of one part of a Compose project, without those of `docker compose run`. */
  ofService(project: string, service: string): Promise<readonly ContainerFacts[]>;
  /** All containers of a Compose project. */
  ofProject(project: string): Promise<readonly ContainerFacts[]>;
  /** The running container that publishes this port on this address of the host; `undefined` is every address. */
  publishing(port: number, address: string | undefined): Promise<ContainerFacts | undefined>;
  /** The running containers that have this folder of the host. */
  mounting(folder: string): Promise<readonly ContainerFacts[]>;
  exec(id: string, command: readonly string[]): Promise<Executed>;
  /** How a container is; `undefined` when it is gone. */
  condition(id: string): Promise<Condition | undefined>;
  /** Ids of the images that containers have, of whatever project, running or not. */
  imagesInUse(): Promise<ReadonlySet<string>>;
  /**
   * Runs a container to its end and removes it. Its name is a lock: one left over from a killed run is waited for
   * and removed first.
   */
  runOnce(spec: OneShot, onLine: Report): Promise<Executed>;
  /** Runs a command to its end in a container like that one: its image, environment, folders and networks. */
  runBeside(id: string, spec: Beside, onLine: Report): Promise<Executed>;
  /** Stops a container as gently as its settings say, and starts it again. */
  restart(id: string): Promise<void>;
  /** Whether a container of this name is at work. */
  isRunning(name: string): Promise<boolean>;
  /** Waits for the end of a container that a killed run left, and removes it. One that is not there is fine. */
  outlive(name: string): Promise<void>;
}

export interface Leftovers {
  /** Removes networks and volumes of a Compose project, by Compose's names for them. What a container has stays. */
  remove(project: string, names: readonly string[]): Promise<void>;
}

export interface ContainerFacts {
  readonly id: string;
  readonly name: string;
  /** It is at work, and can be asked. */
  readonly running: boolean;
  /** It does not run now, and goes on with what it was made for once somebody lets it, or by itself: see `isAlive`. */
  readonly onHold?: 'paused' | 'restarting' | undefined;
  readonly project: string | undefined;
  /** The folder that `docker compose` was run in. */
  readonly workingDirectory: string | undefined;
  readonly networks: readonly string[];
  /** Paths as the engine's host sees them, which may not be this process's. */
  readonly mounts: readonly { readonly source: string; readonly destination: string }[];
}

/** What a container has become since it was made, and what it was made from. */
export interface Condition {
  /** `running`, `exited`, `restarting`, `created`, `paused`, `dead`. */
  readonly status: string;
  /** `undefined` without a health check. */
  readonly health: 'starting' | 'healthy' | 'unhealthy' | undefined;
  /** What is run in it to see whether it is well; `undefined`: nothing says so. */
  readonly check: readonly string[] | undefined;
  readonly exitCode: number;
  /** The kernel ended it for its memory. */
  readonly outOfMemory: boolean;
  /** How often the engine has started it again by itself. */
  readonly restarts: number;
  readonly startedAt: Date;
  readonly labels: Labels;
  /** The id of its image, and the name that it was started by. */
  readonly image: { readonly id: string; readonly reference: string };
  /** `NAME=value` */
  readonly environment: readonly string[];
  readonly log: {
    readonly driver: string;
    /** On the engine's own machine; empty where the driver keeps no file. */
    readonly path: string;
    readonly options: Labels;
  };
}

export interface Executed {
  readonly exitCode: number;
  /** Standard output and standard error, as they came. */
  readonly output: string;
}

export interface Beside {
  /** A lock, as that of a `OneShot`. */
  readonly name: string;
  /** What its entry point gets. */
  readonly args: readonly string[];
  /** Added to the other one's. */
  readonly env: Readonly<Record<string, string>>;
  /** Paths inside that the other one only reads. */
  readonly writable: readonly string[];
  readonly labels: Labels;
}

export interface OneShot {
  readonly name: string;
  readonly image: string;
  /** In place of the image's own. */
  readonly entrypoint?: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly {
    readonly source: string;
    readonly target: string;
    readonly readOnly?: boolean;
  }[];
  readonly network: string;
  /** `uid:gid` */
  readonly user: string;
  readonly labels: Labels;
}
