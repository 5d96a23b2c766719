import { styleText } from 'node:util';
import { environment } from '../settings/environment.ts';

type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';

const TITLE_WIDTH = 14;

/** Where people read: standard output, or standard error when standard output carries JSON. */
export class Terminal {
  readonly #stream: NodeJS.WriteStream;
  readonly #coloured: boolean;
  #transient = false;
  #asking = false;

  constructor(stream: NodeJS.WriteStream) {
    const { NO_COLOR, TERM } = environment();
    this.#stream = stream;
    this.#coloured = stream.isTTY && !NO_COLOR && TERM !== 'dumb';
  }

  /** Whether somebody can be asked: both a screen and a keyboard. */
  get interactive(): boolean {
    return this.#stream.isTTY === true && process.stdin.isTTY === true;
  }

  get live(): boolean {
    return this.#stream.isTTY === true;
  }

  style(style: Style, text: string): string {
    return this.#coloured ? styleText(style, text) : text;
  }

  line(text = ''): void {
    this.clear();
    this.#stream.write(`${text}\n`);
  }

  /** Titles and texts side by side; further lines of a text stand under its first. */
  table(rows: readonly (readonly [title: string, text: string])[]): void {
    for (const [title, text] of rows) {
      const indented = text.split('\n').join(`\n${' '.repeat(TITLE_WIDTH + 3)}`);
      this.line(`  ${this.style('dim', title.padEnd(TITLE_WIDTH))} ${indented}`);
    }
  }

  /** Keeps transient lines away while somebody is asked. */
  async undisturbed<T>(question: () => Promise<T>): Promise<T> {
    this.clear();
    this.#asking = true;
    try {
      return await question();
    } finally {
      this.#asking = false;
    }
  }

  /** A line that the next one replaces. Only for a live terminal. */
  transient(text: string): void {
    if (this.#asking) return;
    this.clear();
    const width = this.#stream.columns || 80;
    this.#stream.write(text.length < width ? text : `${text.slice(0, width - 2)}…`);
    this.#transient = true;
  }

  clear(): void {
    if (!this.#transient) return;
    this.#stream.clearLine(0);
    this.#stream.cursorTo(0);
    this.#transient = false;
  }
}
