import { stripVTControlCharacters, styleText } from 'node:util';
import { environment } from '../settings/environment.ts';

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';

/** Columns of the titles that stand before what is told. */
export const TITLE_WIDTH = 14;

/** Where people read: standard output, or standard error when standard output carries JSON. */
export class Terminal {
  readonly #stream: NodeJS.WriteStream;
  readonly #coloured: boolean;
  /** How many lines stand there that the next ones replace. */
  #transient = 0;
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
    this.#stream.write(`${harmless(text)}\n`);
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
  hanging(text: string, indent = TITLE_WIDTH + 3): string {
    const width = this.live ? Math.max(40, (this.#stream.columns || 80) - indent) : Number.POSITIVE_INFINITY;
    return text
      .split('\n')
      .flatMap((line) => wrap(line, width))
      .join(`\n${' '.repeat(indent)}`);
  }

  /** A line that a command told elsewhere, behind a margin: further lines of its text stand under the first. */
  retold(line: string, margin: string): string {
    const [, title = '', text = line] = /^([^ ] .{14} | {2}.{14} )(.*)$/.exec(line) ?? [];
    return `${margin}${title}${this.hanging(text, margin.length + title.length)}`;
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

  /** Lines that the next ones replace. Only for a live terminal. */
  transient(...texts: readonly string[]): void {
    if (this.#asking) return;
    this.clear();
    const cut = (text: string) => (text.length < this.columns ? text : `${text.slice(0, this.columns - 2)}…`);
    this.#stream.write(texts.map((text) => cut(harmless(text))).join('\n'));
    this.#transient = texts.length;
  }

  clear(): void {
    if (this.#transient === 0) return;
    this.#stream.moveCursor(0, 1 - this.#transient);
    this.#stream.cursorTo(0);
    this.#stream.clearScreenDown();
    this.#transient = 0;
  }
}

/**
 * Without what a terminal would do something by, but for colours: other machines and programs are quoted here, and none
 * of them is to move the cursor, clear what was said or fill the clipboard (ECMA-48, xterm's ctlseqs).
 */
export function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
  return text.replace(/(\x1b\[[\d;]*m)|[\0-\x08\x0b-\x1f\x7f-\x9f]/g, '$1');
}

/**
 * Lines of `width` columns at most, broken at spaces, and indented as the text is. Further lines of a list's item (`- `),
 * and of a table's row (two blanks after its title), stand under its first word. A word that is longer stays whole: it may
 * be an address to copy.
 */
export function wrap(text: string, width: number): string[] {
  const indent = /^ */.exec(text)?.[0] ?? '';
  const hanging = ' '.repeat(/^ *(?:- |\S.{0,12}? {2,}(?=\S))?/.exec(text)?.[0].length ?? 0);
  const lines: string[] = [];
  const lead = () => (lines.length === 0 ? indent : hanging);
  let line = '';
  for (const word of text.slice(indent.length).split(' ')) {
    if (line !== '' && stripVTControlCharacters(`${lead()}${line} ${word}`).length > width) {
      lines.push(lead() + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, lead() + line];
}
