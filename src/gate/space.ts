import { messageOf } from '../errors.ts';
import { type Disk, isBelow, isOff, markOf, type Reserve } from '../low-water.ts';
import type { Clock } from '../system/clock.ts';

/** Too little is free: what there is, and what is to stay free, in bytes. */
export interface Shortage {
  readonly free: number;
  readonly kept: number;
}

/** The mark in bytes, and whether pushes are refused for it. */
export interface SpaceState {
  readonly mark: number;
  readonly low: boolean;
}

/** Bytes that somebody may write. What is kept of those that were declared is theirs until they come or it ends. */
export interface Claim {
  /** Whether all that was declared is kept: `take` never refuses it. */
  readonly kept: boolean;
  /** Counts bytes as they go to the registry; those that would lead below the mark it does not, and says so. */
  take(bytes: number): Shortage | undefined;
  end(): void;
}

export interface SpaceParts {
  readonly reserve: Reserve;
  readonly look: () => Promise<Disk>;
  readonly clock: Clock;
  /** For a disk that can't be looked at. */
  readonly tell: (line: string) => void;
}

/** Between two looks, in ms. */
const BEAT = 250;
/** This near to the mark uploads are watched as they come. Far from it they are the disk's business alone. */
const NEAR = 16 * 1024 ** 3;
/** What one user can have kept of the room that is left: lengths are soon declared, and need never come. */
const KEPT_FOR_A_USER = 1 / 4;

/**
 * How much room is left on the disk that the images are on: what was free at the last look, without what has been let
 * through since and what is still to come of declared lengths. A disk that can't be looked at stops nobody.
 */
export class Space {
  readonly #parts: SpaceParts;
  readonly #off: boolean;
  #disk: Disk | undefined;
  #since = 0;
  readonly #promised = new Map<string, number>();
  #low = false;
  #complained = false;

  constructor(parts: SpaceParts) {
    this.#parts = parts;
    this.#off = isOff(parts.reserve);
  }

  /** Why something new of that many bytes can't be taken, if so. */
  shortage(bytes = 0): Shortage | undefined {
    if (this.#disk === undefined) return undefined;
    const kept = this.#mark(this.#disk);
    return this.#low || this.#left() - bytes < kept ? { free: this.#left(), kept } : undefined;
  }

  /** How it stands; `undefined` where nothing is to stay free, or the disk can't be looked at. */
  get state(): SpaceState | undefined {
    return this.#disk && { mark: this.#mark(this.#disk), low: this.shortage() !== undefined };
  }

  /** Whether an upload of that many bytes, where it says so, has to be watched. */
  isNear(bytes = 0): boolean {
    return this.#disk !== undefined && this.#left() - bytes < this.#mark(this.#disk) + NEAR;
  }

  /**
   * @param user whose upload it is
   * @param length what it declares to have; `undefined` where it says nothing
   */
  claim(user: string, length = 0): Claim | Shortage {
    const shortage = this.shortage(length);
    if (shortage !== undefined) return shortage;
    let promised = Math.min(length, this.#mayKeep(user));
    this.#promise(user, promised);
    return {
      kept: promised === length,
      take: (bytes) => {
        const known = Math.min(bytes, promised);
        if (this.#disk !== undefined) {
          const kept = this.#mark(this.#disk);
          if (this.#left() - (bytes - known) < kept) return { free: this.#left(), kept };
        }
        promised -= known;
        this.#promise(user, -known);
        this.#since += bytes;
        return undefined;
      },
      end: () => {
        this.#promise(user, -promised);
        promised = 0;
      },
    };
  }

  /** Never throws. */
  async look(): Promise<void> {
    if (this.#off) return;
    const before = this.#since; // is on the disk by now
    try {
      this.#disk = await this.#parts.look();
      this.#low = isBelow(this.#mark(this.#disk), this.#disk.free, this.#low);
      this.#complained = false;
    } catch (error) {
      this.#disk = undefined;
      if (!this.#complained)
        this.#parts.tell(`the disk of the images can’t be looked at: ${messageOf(error)}`);
      this.#complained = true;
    }
    this.#since -= before;
  }

  /** Looks at a steady beat until the signal fires. */
  async keepFresh(signal: AbortSignal): Promise<void> {
    while (!this.#off && !signal.aborted) {
      await this.look();
      await this.#parts.clock.sleep(BEAT, signal).catch(() => undefined);
    }
  }

  #left(): number {
    const promised = [...this.#promised.values()].reduce((sum, bytes) => sum + bytes, 0);
    return Math.max(0, (this.#disk?.free ?? 0) - this.#since - promised);
  }

  /** How much more can be kept for a user. */
  #mayKeep(user: string): number {
    if (this.#disk === undefined) return 0;
    const before = this.#promised.get(user) ?? 0;
    const room = this.#left() + before - this.#mark(this.#disk);
    return Math.max(0, Math.floor(room * KEPT_FOR_A_USER) - before);
  }

  #promise(user: string, bytes: number): void {
    const promised = (this.#promised.get(user) ?? 0) + bytes;
    if (promised > 0) this.#promised.set(user, promised);
    else this.#promised.delete(user);
  }

  #mark(disk: Disk): number {
    return markOf(this.#parts.reserve, disk);
  }
}
