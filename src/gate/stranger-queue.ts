/** A stranger's turn: where it comes from, and whether logins from there failed lately. */
export interface Waiting {
  readonly origin: string;
  readonly suspect: boolean;
}

export interface QueueLimits {
  readonly inAll: number;
  /** Of them, from origins where logins failed lately. */
  readonly suspects: number;
  readonly perOrigin: number;
}

/**
 * Who waits for bcrypt without being known yet. Bounded; origins without failures before those with; one turn for each
 * origin in a round, so that whoever sends many waits behind nobody but themselves.
 */
export class StrangerQueue<Job extends Waiting> {
  readonly #limits: QueueLimits;
  readonly #clean = new Map<string, Job[]>();
  readonly #suspect = new Map<string, Job[]>();
  #size = 0;
  #suspects = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  get suspects(): number {
    return this.#suspects;
  }

  /**
   * Takes the job in, or says who has no place: the job itself, or, when all places are taken and its origin is not
   * suspect, the last of a suspect one. So a botnet that fills the queue is no lock-out for everybody else.
   */
  add(job: Job): Job | undefined {
    const waiting = (this.#clean.get(job.origin)?.length ?? 0) + (this.#suspect.get(job.origin)?.length ?? 0);
    if (waiting >= this.#limits.perOrigin) return job;
    if (job.suspect && this.#suspects >= this.#limits.suspects) return job;
    const full = this.#size >= this.#limits.inAll;
    const dropped = full && !job.suspect ? this.#dropSuspect() : undefined;
    if (full && dropped === undefined) return job;
    const lane = job.suspect ? this.#suspect : this.#clean;
    const jobs = lane.get(job.origin);
    if (jobs === undefined) lane.set(job.origin, [job]);
    else jobs.push(job);
    this.#count(job, 1);
    return dropped;
  }

  /** The next one; of those who are not suspect only, where `who` says so. */
  take(who: 'any' | 'clean' = 'any'): Job | undefined {
    const lane = this.#clean.size > 0 || who === 'clean' ? this.#clean : this.#suspect;
    for (const [origin, jobs] of lane) {
      const job = jobs.shift();
      lane.delete(origin);
      if (jobs.length > 0) lane.set(origin, jobs); // at the end of the round
      if (job !== undefined) this.#count(job, -1);
      return job;
    }
    return undefined;
  }

  #dropSuspect(): Job | undefined {
    for (const [origin, jobs] of this.#suspect) {
      const job = jobs.pop();
      if (jobs.length === 0) this.#suspect.delete(origin);
      if (job !== undefined) this.#count(job, -1);
      return job;
    }
    return undefined;
  }

  #count({ suspect }: Job, by: 1 | -1): void {
    this.#size += by;
    if (suspect) this.#suspects += by;
  }
}
