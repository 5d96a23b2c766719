/** Standard input of a far command that stays open until it is ended. */
export class Feed implements AsyncIterable<string> {
  readonly #waiting: string[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  write(text: string): void {
    this.#waiting.push(text);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      yield* this.#waiting.splice(0);
      if (this.#waiting.length > 0) continue;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
