import { systemClock } from '../../src/system/clock.ts';
import type { GuardedStack } from './guarded-stack.ts';

/** Pushes one small image after the other, and remembers which of them were taken. */
export class TirelessPusher {
  readonly accepted: string[] = [];
  /** What came instead. */
  readonly refused: string[] = [];
  #going = true;
  #done: Promise<void> = Promise.resolve();

  static start(stack: GuardedStack, repository: string): TirelessPusher {
    const pusher = new TirelessPusher();
    pusher.#done = pusher.#loop(stack, repository);
    return pusher;
  }

  async stop(): Promise<this> {
    this.#going = false;
    await this.#done;
    return this;
  }

  async #loop(stack: GuardedStack, repository: string): Promise<void> {
    for (let number = 0; this.#going; number += 1) {
      const tag = `pushed-${number}`;
      try {
        const { status } = await stack.calls.pushImage(repository, tag, stack.login('admin'));
        if (status === 201) this.accepted.push(tag);
        else await this.#refusedBy(String(status));
      } catch (error) {
        await this.#refusedBy(String(error));
      }
    }
  }

  /** Whoever is refused comes again a moment later. */
  async #refusedBy(answer: string): Promise<void> {
    this.refused.push(answer);
    await systemClock.sleep(100);
  }
}
