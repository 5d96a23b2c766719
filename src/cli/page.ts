import { stripVTControlCharacters } from 'node:util';
import { type Style, type Terminal, TITLE_WIDTH, wrap } from './terminal.ts';

/** Where a screen is shown. */
export interface Page {
  readonly columns: number;
  /** `undefined` where it has no end: then lines are not broken either. */
  readonly rows: number | undefined;
  readonly style: (style: Style, text: string) => string;
}

/** Columns before the text of a row, as a terminal's tables have it. */
const INDENT = TITLE_WIDTH + 3;

export function pageOf(terminal: Terminal): Page {
  const { columns, rows } = terminal;
  return { columns, rows, style: (style, text) => terminal.style(style, text) };
}

/** Columns that the text of a row has. */
export function textWidth({ columns }: Page): number {
  return Math.max(40, columns - INDENT);
}

/** A title, and its lines side by side with it. None is no row. */
export function row(page: Page, title: string, lines: readonly string[]): string[] {
  const texts = lines.flatMap((line) => (page.rows === undefined ? [line] : wrap(line, textWidth(page))));
  return texts.map((text, index) => {
    const head = index === 0 ? page.style('dim', title.padEnd(TITLE_WIDTH)) : ' '.repeat(TITLE_WIDTH);
    return `  ${head} ${text}`;
  });
}

/** Whether a text needs no second line. */
export function isShort({ columns, rows }: Page, text: string): boolean {
  return rows === undefined || stripVTControlCharacters(text).length <= columns;
}

/** A text over the whole width; further lines of it are indented. */
export function wrapped(page: Page, text: string, indent: number): string[] {
  if (page.rows === undefined) return [text];
  const [first = '', ...rest] = wrap(text, page.columns - indent);
  return [first, ...rest.map((line) => `${' '.repeat(indent)}${line}`)];
}

/** A row's text on one line; `before`: columns that something else takes of it. */
export function shortened(page: Page, text: string, before: number): string {
  return page.rows === undefined ? text : cut(text, textWidth(page) - before);
}

/** Not longer than so many columns. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** Spaces behind a text that may be coloured. */
export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stripVTControlCharacters(text).length));
}
