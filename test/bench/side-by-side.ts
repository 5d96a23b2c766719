import type { Row } from './result.ts';

/** A table with a line for each metric and a column for each name, in the order of the rows: `median (min–max)`. */
export function sideBySide(rows: readonly Row[]): string[] {
  const names = unique(rows.map(({ name }) => name));
  const lines = unique(rows.map(line)).map((each) => {
    const cells = names.map((name) => rows.find((row) => row.name === name && line(row) === each));
    return `| ${each} | ${cells.map(shown).join(' | ')} |`;
  });
  return [`| | ${names.join(' | ')} |`, `|---|${names.map(() => '---:|').join('')}`, ...lines];
}

function line({ metric, unit }: Row): string {
  return `${metric}, ${unit}`;
}

function shown(row: Row | undefined): string {
  if (row === undefined) return '';
  const { median, min, max } = row;
  return min === max ? `${median}` : `${median} (${min}–${max})`;
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
