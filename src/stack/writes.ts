import { rmSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import type { Paths } from '../paths.ts';
import type { Settings } from '../settings/settings.ts';
import { type Clock, eventually } from '../system/clock.ts';
import { ensureDirectory, readIfExists } from '../system/files.ts';
import { askNginx } from './answer.ts';
import { counts, hasLapsed, leaseLine, type Phase } from './lease.ts';
import { readMove } from './moved.ts';

const TOUCH_EVERY = 1_000;
/** nginx looks at the leases every second. */
const REFUSED_WITHIN = 15_000;
/** What nginx itself says (nginx/templates/writes.closed.template). */
const REFUSAL = /writes are closed/;

export interface ClosingParts {
  readonly paths: Pick<Paths, 'maintenance'>;
  readonly settings: Settings;
  readonly clock: Clock;
}

export interface WritesClosed {
  /**
   * Goes on to a phase, and waits until nginx does as it says.
   * @throws Failure `writes-open`
   */
  enter(phase: Phase): Promise<void>;
  /**
   * To be called before each change that nobody may write beside.
   * @throws Failure `lease-lapsed` when this process stood still for so long that others may have written
   */
  expectHeld(): void;
  /** When the first write was refused. */
  readonly since: Date | undefined;
}

/**
 * Keeps writes away from the registry while `work` is done: nginx answers them with 503 from the first `enter` on. They
 * are open again when this ends, however it ends, SIGINT and SIGTERM included; after a kill they open by themselves.
 * @param holder who closes them, in one word; two at a time have to have two names
 */
export async function withWritesClosed<T>(
  parts: ClosingParts,
  holder: string,
  work: (writes: WritesClosed) => Promise<T>,
): Promise<T> {
  await ensureDirectory(parts.paths.maintenance);
  const lease = new Lease(join(parts.paths.maintenance, `${holder}.lease`), parts.clock);
  let since: Date | undefined;
  const end = (signal: NodeJS.Signals) => {
    lease.dropNow();
    process.kill(process.pid, signal); // nobody listens any more: it ends as it would have
  };
  process.once('SIGINT', end).once('SIGTERM', end);
  try {
    return await work({
      enter: async (phase) => {
        lease.expectHeld();
        since ??= parts.clock.now();
        await lease.take(phase);
        await expectRefused(parts, phase);
      },
      expectHeld: () => lease.expectHeld(),
      get since() {
        return since;
      },
    });
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
    await lease.drop();
    if (since !== undefined) await awaitOpen(parts);
  }
}

/** Takes away what holders left that were killed. One that still holds a lease writes it anew within a second. */
export async function dropLease({ maintenance }: Pick<Paths, 'maintenance'>, holder: string): Promise<void> {
  await rm(join(maintenance, `${holder}.lease`), { force: true });
}

/** Whether somebody of that name holds one now. */
export async function holdsLease(
  { maintenance }: Pick<Paths, 'maintenance'>,
  holder: string,
  now: Date,
): Promise<boolean> {
  const line = await readIfExists(join(maintenance, `${holder}.lease`));
  return line !== undefined && counts(line, now);
}

class Lease {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #ended = new AbortController();
  #phase: Phase | undefined;
  #written: Date | undefined;
  #lapsed = false;
  #touching: Promise<void> = Promise.resolve();
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  async take(phase: Phase): Promise<void> {
    const first = this.#phase === undefined;
    this.#phase = phase;
    await this.#write();
    if (first) this.#touching = this.#touch();
  }

  expectHeld(): void {
    this.#expectHeldAt(this.#clock.now());
  }

  #expectHeldAt(now: Date): void {
    if (!this.#hasLapsed(now)) return;
    throw new Failure(
      'lease-lapsed',
      'This stood still for so long that the registry took writes again.',
      'Nothing is broken; run it again.',
    );
  }

  async drop(): Promise<void> {
    this.#ended.abort();
    await this.#touching;
    await rm(this.#path, { force: true });
  }

  dropNow(): void {
    rmSync(this.#path, { force: true });
  }

  async #touch(): Promise<void> {
    const { signal } = this.#ended;
    for (;;) {
      await this.#clock.sleep(TOUCH_EVERY, signal).catch(() => undefined);
      if (signal.aborted || this.#hasLapsed(this.#clock.now())) return;
      await this.#write().catch(() => undefined); // a full disk may have room a second later
    }
  }

  /** One that ran out stays so: those who looked at it have gone on. */
  #hasLapsed(now: Date): boolean {
    this.#lapsed ||= this.#written !== undefined && hasLapsed(this.#written, now);
    return this.#lapsed;
  }

  /** One after the other: a touch must not bring the phase before back. */
  #write(): Promise<void> {
    const written = this.#writing.catch(() => undefined).then(() => this.#replace());
    this.#writing = written;
    return written;
  }

  async #replace(): Promise<void> {
    if (this.#phase === undefined) return;
    const now = this.#clock.now();
    this.#expectHeldAt(now); // one that ran out must not be brought back: others may have written since
    const temporary = `${this.#path}.part`; // always the same: what a kill leaves is written over
    try {
      await writeFile(temporary, leaseLine(this.#phase, now), { mode: 0o644 });
      await rename(temporary, this.#path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    this.#written = now;
  }
}

/**
 * Waits until nginx does as it was told.
 * @throws Failure `writes-open`
 */
export async function expectRefused(
  { settings, clock }: Pick<ClosingParts, 'settings' | 'clock'>,
  phase: Phase,
): Promise<void> {
  const refused = async () => ((await refuses(settings, phase)) ? true : undefined);
  if ((await eventually(clock, { within: REFUSED_WITHIN, every: 100 }, refused)) !== undefined) return;
  throw new Failure(
    'writes-open',
    'nginx does not refuse writes, though it was told to.',
    'It may be from before an update: run `npm run init-tls`, then this again. Its log: docker compose logs nginx',
  );
}

/** Waits until nginx takes writes again, unless they are closed for good. */
async function awaitOpen({ paths, settings, clock }: ClosingParts): Promise<void> {
  if ((await readMove(paths)) !== undefined) return;
  const open = async () => ((await refuses(settings, 'closing')) ? undefined : true);
  await eventually(clock, { within: REFUSED_WITHIN, every: 100 }, open);
}

/** Asked without a login: where writes are open nobody gets in. */
async function refuses(settings: Settings, phase: Phase): Promise<boolean> {
  const { status, body } = await askNginx(settings, phase === 'closing' ? 'POST' : 'PUT');
  return status === 503 && REFUSAL.test(body);
}
