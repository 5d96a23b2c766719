import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Failure, messageOf } from '../errors.ts';
import type { Secret } from '../secret.ts';
import type { Clock } from '../system/clock.ts';
import { type QueueLimits, StrangerQueue } from './stranger-queue.ts';

/** A password and the bcrypt hash it should belong to; `padding` is compared as well when it does not. */
export interface Comparison {
  readonly password: Secret;
  readonly hash: string;
  readonly padding: readonly string[];
}

/** `known`: was right before with this very hash. A stranger comes from somewhere, where logins may have failed lately. */
export type Lane =
  | { readonly kind: 'known' }
  | { readonly kind: 'stranger'; readonly origin: string; readonly suspect: boolean };

export type Outcome =
  | { readonly kind: 'right' }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'busy'; readonly seconds: number };

export interface Hasher {
  /** @throws Failure `hasher-failed`, `hasher-closed` */
  compare(comparison: Comparison, lane: Lane): Promise<Outcome>;
}

export interface HasherOptions {
  /** Where `hash-worker.mjs` is. */
  readonly worker: URL;
  readonly clock: Clock;
  readonly cores?: number;
  readonly limits?: QueueLimits;
  /** How long a comparison may take, in ms, before the thread is given up. */
  readonly patience?: number;
}

/** Beside this file in a checkout, beside the program in its image. */
export const HASH_WORKER = new URL('hash-worker.mjs', import.meta.url);

/**
 * Strangers may use so much of all cores together: the rest is for images. Where logins failed lately somebody may be
 * guessing, and pulls shall hardly notice.
 */
const SHARE = { clean: 0.15, suspect: 0.06 };
/**
 * With 0.25 s each, and on two cores a rest of 0.6 s, or of 1.8 s after a suspect, the last of them waits for less than
 * a client's usual 60 s.
 */
const LIMITS: QueueLimits = { inAll: 64, suspects: 24, perOrigin: 4 };
/** bcrypt's cost 12 takes 0.25 s, cost 16 takes 4 s, several times that on a small machine with much to do. */
const PATIENCE = 60_000;
/** Until something was measured: cost 12. */
const USUAL = 250;

interface Job {
  readonly comparison: Comparison;
  readonly lane: Lane['kind'];
  readonly origin: string;
  readonly suspect: boolean;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (failure: Failure) => void;
}

/** bcrypt in a thread, one at a time: whoever is known first, strangers with rests in between. */
export class WorkerHasher implements Hasher {
  readonly #options: HasherOptions;
  readonly #known: Job[] = [];
  readonly #strangers: StrangerQueue<Job>;
  /** How many ms a stranger's lane rests for each ms that it worked. */
  readonly #restFactor: { readonly clean: number; readonly suspect: number };
  /** How many rests are under way that such a stranger has to wait for. */
  readonly #rests = { clean: 0, suspect: 0 };
  readonly #closing = new AbortController();
  #worker: Worker | undefined;
  #running: { readonly job: Job; readonly done: AbortController } | undefined;
  #lastTook = USUAL;

  constructor(options: HasherOptions) {
    this.#options = options;
    this.#strangers = new StrangerQueue(options.limits ?? LIMITS);
    const cores = options.cores ?? availableParallelism();
    const factor = (share: number) => Math.max(1 / (share * cores) - 1, 0);
    this.#restFactor = { clean: factor(SHARE.clean), suspect: factor(SHARE.suspect) };
    this.#worker = this.#start();
  }

  compare(comparison: Comparison, lane: Lane): Promise<Outcome> {
    if (this.#closing.signal.aborted) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      const from = lane.kind === 'known' ? { origin: '', suspect: false } : lane;
      const job = {
        comparison,
        lane: lane.kind,
        origin: from.origin,
        suspect: from.suspect,
        resolve,
        reject,
      };
      if (lane.kind === 'known') this.#known.push(job);
      else this.#strangers.add(job)?.resolve({ kind: 'busy', seconds: this.#wait() });
      this.#next();
    });
  }

  /** Ends the thread. Whoever waits gets a Failure. */
  async close(): Promise<void> {
    this.#closing.abort();
    const jobs = this.#known.splice(0);
    for (let job = this.#strangers.take(); job !== undefined; job = this.#strangers.take()) jobs.push(job);
    if (this.#running !== undefined) jobs.unshift(this.#finish(this.#running));
    for (const job of jobs) job.reject(closed());
    await this.#worker?.terminate();
  }

  #next(): void {
    if (this.#running !== undefined || this.#closing.signal.aborted) return;
    const job = this.#known.shift() ?? this.#nextStranger();
    if (job === undefined) return;
    const running = { job, done: new AbortController() };
    this.#running = running;
    this.#worker ??= this.#start();
    const { password, hash, padding } = job.comparison;
    this.#worker.postMessage({ password: password.reveal(), hash, padding });
    void this.#watch(this.#worker, running.done.signal);
  }

  #nextStranger(): Job | undefined {
    if (this.#rests.clean > 0) return undefined;
    return this.#strangers.take(this.#rests.suspect > 0 ? 'clean' : 'any');
  }

  /** A thread that doesn't answer is given up, like one that died. */
  async #watch(worker: Worker, done: AbortSignal): Promise<void> {
    if (!(await this.#slept(this.#options.patience ?? PATIENCE, done))) return;
    this.#lost(worker, 'it did not answer in time');
    await worker.terminate();
  }

  #start(): Worker {
    // Neither the loader of the commands nor the settings are anything the thread needs.
    const worker = new Worker(this.#options.worker, { name: 'bcrypt', execArgv: [], env: {} });
    worker.on('message', (answer: { right: boolean; took: number }) => this.#answered(worker, answer));
    worker.on('error', (error) => this.#lost(worker, messageOf(error)));
    worker.on('exit', (code) => this.#lost(worker, `it ended with ${code}`));
    return worker;
  }

  #answered(worker: Worker, { right, took }: { right: boolean; took: number }): void {
    if (worker !== this.#worker || this.#running === undefined) return;
    const job = this.#finish(this.#running);
    this.#lastTook = took;
    if (job.lane === 'stranger') this.#rest(took, job.suspect);
    job.resolve({ kind: right ? 'right' : 'wrong' });
    this.#next();
  }

  /** The comparison under way fails, for it may be the reason; the others go on in another thread. */
  #lost(worker: Worker, because: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    if (this.#running !== undefined) this.#finish(this.#running).reject(broken(because));
    this.#next();
  }

  #finish({ job, done }: { readonly job: Job; readonly done: AbortController }): Job {
    this.#running = undefined;
    done.abort();
    return job;
  }

  /** After a suspect others have to wait no longer than after anybody else. */
  #rest(took: number, suspect: boolean): void {
    void this.#restOf('clean', took * this.#restFactor.clean);
    if (suspect) void this.#restOf('suspect', took * this.#restFactor.suspect);
  }

  async #restOf(lane: 'clean' | 'suspect', milliseconds: number): Promise<void> {
    if (milliseconds <= 0) return;
    this.#rests[lane] += 1;
    await this.#slept(milliseconds, this.#closing.signal);
    this.#rests[lane] -= 1;
    this.#next();
  }

  /** Whether the time passed without the signal. */
  async #slept(milliseconds: number, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#options.clock.sleep(milliseconds, signal);
      return !signal.aborted;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }

  /** Seconds until those who wait now will have had their turn. */
  #wait(): number {
    const { size, suspects } = this.#strangers;
    const { clean, suspect } = this.#restFactor;
    const turns = (size - suspects) * (1 + clean) + suspects * (1 + suspect);
    return Math.ceil((turns * this.#lastTook) / 1000) || 1;
  }
}

function broken(because: string): Failure {
  return new Failure(
    'hasher-failed',
    `A password could not be checked, the thread for it was lost: ${because}.`,
    'The next login gets a new thread. If this comes again, look into the logs: docker compose logs gate',
  );
}

function closed(): Failure {
  return new Failure('hasher-closed', 'A password could not be checked: the gate stops.', 'Try again.');
}
