import { stripVTControlCharacters } from 'node:util';
import type { Screen } from './story.ts';
import type { Style, Terminal } from './terminal.ts';

/**
 * A terminal that several machines share, each with a line of its own: what it is at now, and in the end what came of
 * it. Elsewhere each line is told as it comes, with the machine's name before it.
 */
export class Fleet {
  readonly #terminal: Terminal;
  readonly #width: number;
  /** What each that is at work says now. */
  readonly #lines = new Map<string, string>();

  constructor(terminal: Terminal, names: readonly string[]) {
    this.#terminal = terminal;
    this.#width = Math.max(0, ...names.map((name) => name.length));
  }

  /** The line of one machine, for its story. */
  screen(name: string): Screen {
    const terminal = this.#terminal;
    const say = (text: string) => {
      this.#lines.set(name, text);
      this.#draw();
    };
    return {
      live: terminal.live,
      style: (style: Style, text: string) => terminal.style(style, text),
      hanging: (text: string) => text.replaceAll('\n', ' '),
      clear: () => undefined, // the others go on
      transient: (text = '') => say(text),
      line: (text = '') => (terminal.live ? say(text) : terminal.line(`${this.#title(name)} ${text}`)),
    };
  }

  /** The last word about a machine; it stays. */
  conclude(name: string, mark: string, text: string): void {
    this.#lines.delete(name);
    this.#terminal.line(`${mark} ${this.#title(name)} ${text}`);
    this.#draw();
  }

  #title(name: string): string {
    return this.#terminal.style('bold', name.padEnd(this.#width));
  }

  #draw(): void {
    if (!this.#terminal.live || this.#lines.size === 0) return;
    const room = Math.max(1, (this.#terminal.rows ?? 24) - 2);
    // Without colours, as a line is cut to the screen.
    const lines = [...this.#lines].map(
      ([name, text]) => `  ${name.padEnd(this.#width)} ${stripVTControlCharacters(text)}`,
    );
    const more = lines.length - room;
    this.#terminal.transient(...(more > 0 ? [...lines.slice(0, room - 1), `  … ${more + 1} more`] : lines));
  }
}
