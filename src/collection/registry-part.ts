import type { ContainerFacts, Engine, Executed } from '../engine/engine.ts';
import { Failure } from '../errors.ts';
import { expectNotPaused } from '../stack/alive.ts';
import type { Report } from '../step.ts';
import { type Clock, eventually } from '../system/clock.ts';
import { readTraffic, type Traffic } from './traffic.ts';

const FIGURES = 'http://127.0.0.1:5001/metrics';
const HEALTH = 'http://127.0.0.1:5001/debug/health';
const UP = { within: 30_000, every: 100 };

/** The registry's container, by the engine. */
export class RegistryPart {
  readonly #engine: Engine;
  readonly #project: string;
  readonly #clock: Clock;

  constructor(engine: Engine, project: string, clock: Clock) {
    this.#engine = engine;
    this.#project = project;
    this.#clock = clock;
  }

  /** A name of its own for what runs beside it, one at a time. */
  get collectorName(): string {
    return `${this.#project}-collector`;
  }

  /** @throws Failure `registry-not-running`, `part-paused` */
  async container(): Promise<ContainerFacts> {
    // One that has just ended itself is started again by the engine.
    const running = await eventually(this.#clock, UP, async () => {
      const found = await this.#engine.containers.ofService(this.#project, 'registry');
      expectNotPaused('registry', found);
      return found.find((each) => each.running);
    });
    if (running !== undefined) return running;
    throw new Failure(
      'registry-not-running',
      'The registry does not run.',
      'Start it with `docker compose up -d`, then run this again.',
    );
  }

  /** `2.8.3`, and whatever a distributor has put behind it. */
  async version(): Promise<string> {
    const { output } = await this.#exec(['registry', '--version']);
    return output.trim().split(/\s+/).at(-1) ?? '';
  }

  /** @throws Failure `registry-outdated` for one that was started before it was told to count */
  async traffic(): Promise<Traffic> {
    const traffic = await eventually(this.#clock, UP, async () => {
      const told = await this.#exec(['wget', '-q', '-O', '-', FIGURES]).catch(() => undefined); // it is just restarting
      return told && readTraffic(told.output);
    });
    if (traffic === undefined) throw outdated('does not say what is on its way to it');
    return traffic;
  }

  /** @throws Failure `registry-outdated` for one that does not look at leases */
  async expectObedient(phase: 'collecting' | 'moved'): Promise<void> {
    const look = '. /etc/moorage/lease.sh && asked_for /run/maintenance';
    const { output } = await this.#exec(['sh', '-c', look]);
    if (output.trim() !== phase) throw outdated('does not see that writes are closed');
  }

  async restart(): Promise<void> {
    await this.#engine.containers.restart((await this.container()).id);
    const well = async () =>
      (await this.#exec(['wget', '-q', '-O', '/dev/null', HEALTH]).catch(() => undefined))?.exitCode === 0
        ? true
        : undefined;
    if ((await eventually(this.#clock, UP, well)) !== undefined) return;
    throw new Failure(
      'registry-down',
      'The registry does not start again.',
      'Look into its log, docker compose logs registry, then run this again.',
    );
  }

  /** Runs its start script with other arguments, on the same storage. */
  async runBeside(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    report: Report,
  ): Promise<Executed> {
    const { id } = await this.container();
    const labels = { 'moorage.project': this.#project };
    const spec = { name: this.collectorName, args, env, labels, writable: ['/run/maintenance'] };
    return this.#engine.containers.runBeside(id, spec, report);
  }

  collectorRuns(): Promise<boolean> {
    return this.#engine.containers.isRunning(this.collectorName);
  }

  outliveCollector(): Promise<void> {
    return this.#engine.containers.outlive(this.collectorName);
  }

  async #exec(command: readonly string[]): Promise<Executed> {
    return this.#engine.containers.exec((await this.container()).id, command);
  }
}

function outdated(what: string): Failure {
  return new Failure(
    'registry-outdated',
    `The registry ${what}: it may be from before an update.`,
    'Run `npm run init-tls`, then this again.',
  );
}
