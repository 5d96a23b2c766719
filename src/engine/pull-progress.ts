import type { ProgressEvent } from './progress.ts';

const MEGABYTE = 1_000_000;

/** Adds the layers of a pull up to one line: `nginx:1.28.0-alpine 12.1 of 20.4 MB`. */
export class PullProgress {
  readonly #reference: string;
  readonly #layers = new Map<string, { current: number; total: number }>();

  constructor(reference: string) {
    this.#reference = reference;
  }

  describe({ id, status, progressDetail }: ProgressEvent): string {
    const { current, total } = progressDetail ?? {};
    if (id !== undefined && status === 'Downloading' && current !== undefined && total !== undefined) {
      this.#layers.set(id, { current, total });
    }
    const known = id === undefined ? undefined : this.#layers.get(id);
    if (known !== undefined && status === 'Download complete') known.current = known.total;
    if (this.#layers.size === 0) return this.#reference;
    const layers = [...this.#layers.values()];
    const sum = (pick: (layer: { current: number; total: number }) => number) =>
      (layers.reduce((all, layer) => all + pick(layer), 0) / MEGABYTE).toFixed(1);
    return `${this.#reference} ${sum((layer) => layer.current)} of ${sum((layer) => layer.total)} MB`;
  }
}
