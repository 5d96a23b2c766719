import { Readable } from 'node:stream';
import type {
  BuildOptions,
  Condition,
  ContainerFacts,
  Containers,
  Engine,
  EngineMachine,
  Executed,
  ImageFacts,
  Images,
  Labels,
  Leftovers,
  OneShot,
} from '../../src/engine/engine.ts';
import type { Failure } from '../../src/errors.ts';

const NO_IMAGE = {
  id: '',
  repoDigests: [],
  labels: {},
  architecture: 'amd64',
  layers: [],
  created: '',
  size: 0,
};

/** An engine that keeps its images in a map. It pulls whatever it is asked for, unless it is told to fail. */
export class FakeEngine implements Engine {
  readonly pulled: string[] = [];
  pullFails: Failure | undefined;
  published: ContainerFacts | undefined;
  running: ContainerFacts[] = [];
  readonly ran: OneShot[] = [];
  /** What a one-shot container does. */
  runs: (spec: OneShot) => Promise<Executed> = async () => ({ exitCode: 0, output: '' });
  /** What a container left by a killed run does until it ends. */
  leftOver: () => Promise<void> = async () => undefined;
  /** What image registries have, by name. */
  readonly offers = new Map<string, string>();
  readonly inUse = new Set<string>();
  /** What it does with an archive. */
  loads: (archive: Readable) => Promise<void> = async (archive) => {
    archive.resume();
  };
  /** What it saves: `docker save` form. */
  saves: (references: readonly string[]) => Readable = () => Readable.from([]);
  architecture = 'amd64';
  readonly #images = new Map<string, ImageFacts>();

  present(reference: string, labels: Labels = {}): void {
    this.#images.set(reference, { ...NO_IMAGE, id: `id of ${reference}`, labels });
  }

  has(reference: string, facts: Partial<ImageFacts>): void {
    this.#images.set(reference, { ...NO_IMAGE, ...facts });
  }

  async machine(): Promise<EngineMachine> {
    return { architecture: this.architecture, dataFolder: undefined };
  }

  async version(): Promise<string> {
    return 'fake';
  }

  readonly images: Images = {
    inspect: async (reference) => this.#images.get(reference),
    pull: async (reference) => {
      this.pulled.push(reference);
      if (this.pullFails !== undefined) throw this.pullFails;
      this.present(reference);
    },
    importRoot: async (_root: Readable, reference, labels) => this.present(reference, labels),
    build: async (_context: Readable, { reference, labels }: BuildOptions) => this.present(reference, labels),
    load: (archive) => this.loads(archive),
    save: async (references) => this.saves(references),
    history: async () => [],
    remove: async (reference) => {
      this.#images.delete(reference);
    },
    tag: async (id, reference) => {
      this.#images.set(reference, { ...NO_IMAGE, id });
    },
    ofRepository: async (repository) =>
      [...this.#images]
        .filter(([reference]) => reference.startsWith(`${repository}:`))
        .map(([reference, { id, labels }]) => ({ id, reference, labels })),
    offered: async (reference) => this.offers.get(reference),
  };

  readonly containers: Containers = {
    ofService: async () => this.running,
    ofProject: async () => [],
    publishing: async () => this.published,
    mounting: async (folder) =>
      this.running.filter(({ mounts }) => mounts.some(({ source }) => source === folder)),
    condition: async (): Promise<Condition | undefined> => undefined,
    exec: async (): Promise<Executed> => ({ exitCode: 0, output: '' }),
    runOnce: async (spec): Promise<Executed> => {
      this.ran.push(spec);
      return this.runs(spec);
    },
    runBeside: async (): Promise<Executed> => ({ exitCode: 0, output: '' }),
    restart: async () => {},
    isRunning: async () => false,
    outlive: () => this.leftOver(),
    imagesInUse: async () => this.inUse,
  };

  readonly leftovers: Leftovers = { remove: async () => {} };
}
