import { span } from '../certificates/words.ts';
import { sizeInWords } from '../low-water.ts';
import type { Clock } from '../system/clock.ts';

/** Before this much is done nobody knows how fast it goes. */
const LEAST_MS = 3_000;

/** How far something is that goes by bytes. */
export class Meter {
  readonly #clock: Clock;
  readonly #all: number;
  readonly #began: number;
  #done = 0;

  constructor(clock: Clock, bytes: number) {
    this.#clock = clock;
    this.#all = bytes;
    this.#began = clock.now().getTime();
  }

  add(bytes: number): void {
    this.#done += bytes;
  }

  inWords(): string {
    const passed = this.#clock.now().getTime() - this.#began;
    const said = `${sizeInWords(this.#done)} of ${sizeInWords(this.#all)}`;
    if (passed < LEAST_MS || this.#done === 0) return said;
    const left = Math.max(0, this.#all - this.#done) * (passed / this.#done);
    return left < 1000 ? said : `${said}, about ${span(left)} left`;
  }
}
