import { stripVTControlCharacters, styleText } from 'node:util';
import { environment } from '../settings/environment.ts';

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';

/** Columns of the titles that stand before what is told. */
export const TITLE_WIDTH = 14;

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

  /** Of a screen; 80 where nobody says how wide the page is. */
  get columns(): number {
    return this.#stream.columns || 80;
  }

  /** `undefined` where a page has no end. */
  get rows(): number | undefined {
    return this.live ? this.#stream.rows : undefined;
  }

  style(style: Style, text: string): string {
    return this.#coloured ? styleText(style, text) : text;
  }

  line(text = ''): void {
    this.clear();
    this.#stream.write(`${text}\n`);
  }

  /** Broken between words where a person reads it. */
  paragraph(text: string): void {
    const width = this.live ? this.columns : Number.POSITIVE_INFINITY;
    for (const line of text.split('\n')) for (const part of wrap(line, width)) this.line(part);
  }

  /** Titles and texts side by side; further lines of a text stand under its first. */
  table(rows: readonly (readonly [title: string, text: string])[]): void {
    for (const [title, text] of rows)
      this.line(`  ${this.style('dim', title.padEnd(TITLE_WIDTH))} ${this.hanging(text)}`);
  }

  /** Broken between words where a person reads it, and indented as far as a title and its mark go. */
  hanging(text: string): string {
    const indent = TITLE_WIDTH + 3;
    const width = this.live ? Math.max(40, (this.#stream.columns || 80) - indent) : Number.POSITIVE_INFINITY;
    return text
      .split('\n')
      .flatMap((line) => wrap(line, width))
      .join(`\n${' '.repeat(indent)}`);
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

/**
 * Lines of `width` columns at most, broken at spaces, and indented as the text is. A word that is longer stays whole: it
 * may be an address to copy.
 */
export function wrap(text: string, width: number): string[] {
  const indent = /^ */.exec(text)?.[0] ?? '';
  const lines: string[] = [];
  let line = '';
  for (const word of text.slice(indent.length).split(' ')) {
    if (line !== '' && stripVTControlCharacters(`${indent}${line} ${word}`).length > width) {
      lines.push(indent + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, indent + line];
}
