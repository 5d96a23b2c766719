/** What a benchmark found, in the form that `--json` prints. */
export interface BenchResult {
  readonly bench: string;
  readonly machine: string;
  readonly rows: readonly Row[];
  readonly goals: readonly Goal[];
}

export interface Row {
  readonly name: string;
  readonly metric: string;
  readonly unit: 's';
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Goal {
  readonly name: string;
  readonly value: number;
  readonly goal: string;
  readonly met: boolean;
}

export function row(name: string, metric: string, values: readonly number[]): Row {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (position: number) => rounded(sorted[position] ?? Number.NaN);
  return {
    name,
    metric,
    unit: 's',
    median: at(Math.floor(sorted.length / 2)),
    min: at(0),
    max: at(sorted.length - 1),
  };
}

/** A goal of "less than so many seconds", held against the median. */
export function below(limit: number, { name, median }: Row): Goal {
  return { name, value: median, goal: `< ${limit} s`, met: median < limit };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
