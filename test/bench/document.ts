import { readIfExists, writeAtomically } from '../../src/system/files.ts';
import type { BenchResult } from './result.ts';

/** The table of a result, as Markdown. */
export function asMarkdown({ bench, machine, rows, goals }: BenchResult): string {
  return [
    `## ${bench}`,
    '',
    `${machine}. Repeat it with \`npm run bench -- ${bench}\`.`,
    '',
    '| | what | median | min | max | |',
    '|---|---|---:|---:|---:|---|',
    ...rows.map(
      ({ name, metric, median, min, max, unit }) =>
        `| ${name} | ${metric} | ${median} | ${min} | ${max} | ${unit} |`,
    ),
    '',
    ...goals.map(
      ({ name, value, goal, met }) => `- ${name}: ${value} (goal ${goal}) ${met ? 'met' : '**missed**'}`,
    ),
  ].join('\n');
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
