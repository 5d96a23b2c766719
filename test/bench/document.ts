import { readIfExists, writeAtomically } from '../../src/system/files.ts';
import type { BenchResult, Row } from './result.ts';

/** The table of a result, as Markdown. */
export function asMarkdown({
  bench,
  machine,
  rows,
  goals,
  notes = [],
  sideBySide = false,
}: BenchResult): string {
  return [
    `## ${bench}`,
    '',
    `${machine}. Repeat it with \`npm run bench -- ${bench}\`.`,
    '',
    ...(sideBySide ? compared(rows) : listed(rows)),
    '',
    ...notes.flatMap((note) => [note, '']),
    ...goals.map(
      ({ name, value, goal, met }) => `- ${name}: ${value} (goal ${goal}) ${met ? 'met' : '**missed**'}`,
    ),
  ].join('\n');
}

function listed(rows: readonly Row[]): string[] {
  return [
    '| | what | median | min | max | |',
    '|---|---|---:|---:|---:|---|',
    ...rows.map(
      ({ name, metric, median, min, max, unit }) =>
        `| ${name} | ${metric} | ${median} | ${min} | ${max} | ${unit} |`,
    ),
  ];
}

/** A line for each metric and a column for each name, in the order of the rows: `median (min–max)`. */
function compared(rows: readonly Row[]): string[] {
  const names = unique(rows.map(({ name }) => name));
  const lines = unique(rows.map(({ metric }) => metric)).map((metric) => {
    const cells = names.map((name) => rows.find((row) => row.name === name && row.metric === metric));
    return `| ${metric}, ${cells.find((cell) => cell)?.unit} | ${cells.map(shown).join(' | ')} |`;
  });
  return [`| | ${names.join(' | ')} |`, `|---|${names.map(() => '---:|').join('')}`, ...lines];
}

function shown(row: Row | undefined): string {
  if (row === undefined) return '';
  const { median, min, max } = row;
  return min === max ? `${median}` : `${median} (${min}–${max})`;
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

/** Replaces a benchmark's own section of the page, and leaves the others. */
export async function rewriteSection(page: string, result: BenchResult): Promise<void> {
  const begin = `<!-- ${result.bench} -->`;
  const end = `<!-- /${result.bench} -->`;
  const text = (await readIfExists(page)) ?? '# Benchmarks\n';
  const section = `${begin}\n${asMarkdown(result)}\n${end}`;
  const start = text.indexOf(begin);
  const stop = text.indexOf(end);
  const next =
    start < 0 || stop < 0
      ? `${text.trimEnd()}\n\n${section}\n`
      : text.slice(0, start) + section + text.slice(stop + end.length);
  await writeAtomically(page, next, 0o644);
}
