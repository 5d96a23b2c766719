/** Memory, in bytes, of which each user may take up so much at a time. */
export class Room {
  readonly #each: number;
  readonly #taken = new Map<string, number>();

  constructor(each: number) {
    this.#each = each;
  }

  /** Does the work while it holds the memory for it, or answers `undefined` at once where that would be too much. */
  async within<T>(user: string, bytes: number, work: () => Promise<T>): Promise<T | undefined> {
    const before = this.#taken.get(user) ?? 0;
    if (before + bytes > this.#each) return undefined;
    this.#taken.set(user, before + bytes);
    try {
      return await work();
    } finally {
      const left = (this.#taken.get(user) ?? 0) - bytes;
      if (left > 0) this.#taken.set(user, left);
      else this.#taken.delete(user);
    }
  }
}
