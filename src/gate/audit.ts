import { LRUCache } from 'lru-cache';
import type { Clock } from '../system/clock.ts';
import { originOf } from './origin.ts';
import { RotatedLog } from './rotated-log.ts';

/** What happened, and to whom. Never a secret: a name that is nobody's may be a password typed into the wrong field. */
export interface AuditEvent {
  readonly event: 'login-failed' | 'throttled' | 'denied' | 'disk-full' | 'push' | 'delete';
  /** `null`: nobody we know. */
  readonly user: string | null;
  readonly address: string;
  /** Id of the token that was used; `null`: one that is not ours. */
  readonly token?: string | null | undefined;
  readonly repository?: string | undefined;
  readonly tag?: string | undefined;
  readonly digest?: string | undefined;
  /** HTTP status of the answer. */
  readonly status?: number;
  /** What was asked for and denied. */
  readonly action?: string | undefined;
  /** How many such requests there were since the last line about them. */
  readonly count?: number;
}

export interface Audit {
  write(event: AuditEvent): void;
}

/** 60 MB at the most: some 300,000 lines. */
const ROTATION = { size: 10 * 1024 * 1024, keep: 5 };
/** Between two lines about what costs nobody any work, in ms: without it anybody could push all else out of the log. */
const BETWEEN_CHEAP = 60_000;
const REMEMBERED = 10_000;

/** One JSON object a line in `audit.log`; older ones are `audit.log.1` to `.5`. */
export class AuditLog implements Audit {
  readonly #log: RotatedLog;
  readonly #clock: Clock;
  readonly #cheap = new LRUCache<string, { since: number; count: number }>({ max: REMEMBERED });

  constructor(folder: string, clock: Clock, complain: (problem: string) => void) {
    this.#clock = clock;
    this.#log = new RotatedLog(folder, 'audit.log', ROTATION, complain);
  }

  write(event: AuditEvent): void {
    const at = this.#clock.now();
    const line = isCheap(event) ? this.#sparingly(event, at.getTime()) : event;
    if (line !== undefined) this.#log.write(JSON.stringify({ at: at.toISOString(), ...line }));
  }

  /** Waits until what was written is on its way to the disk. */
  flushed(): Promise<void> {
    return this.#log.flushed();
  }

  #sparingly(event: AuditEvent, now: number): AuditEvent | undefined {
    const key = `${event.event} ${event.token} ${originOf(event.address)}`;
    const known = this.#cheap.get(key);
    if (known !== undefined && now - known.since < BETWEEN_CHEAP) {
      known.count += 1;
      return undefined;
    }
    this.#cheap.set(key, { since: now, count: 0 });
    return { ...event, count: 1 + (known?.count ?? 0) };
  }
}

/** Who is throttled, or has no room, goes on asking, and a wrong token is refused without bcrypt; so is an expired one, all day long. */
function isCheap({ event, token }: AuditEvent): boolean {
  return event === 'throttled' || event === 'disk-full' || (event === 'login-failed' && token !== undefined);
}
