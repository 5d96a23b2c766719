/** What a benchmark found, in the form that `--json` prints. */
export interface BenchResult {
  readonly bench: string;
  readonly machine: string;
  readonly rows: readonly Row[];
  readonly goals: readonly Goal[];
  /** Sentences on what was measured and how. */
  readonly notes?: readonly string[];
  /** The metrics one below the other, a column for each name: where the same is measured of many. */
  readonly sideBySide?: boolean;
}

export interface Row {
  readonly name: string;
  readonly metric: string;
  readonly unit: Unit;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export type Unit =
  | 's'
  | 'MB/s'
  | 'bytes'
  | 'handshakes/s'
  | 'ms'
  | 'µs'
  | 'MB'
  | 'requests'
  | 'requests/s'
  | 'times'
  | 'files'
  | 'certificates';

/** What a measurement is to be told about while it goes on. */
export type Progress = (line: string) => void;

export interface Goal {
  readonly name: string;
  readonly value: number;
  readonly goal: string;
  readonly met: boolean;
}

export function row(name: string, metric: string, values: readonly number[], unit: Unit = 's'): Row {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (position: number) => rounded(sorted[position] ?? Number.NaN);
  return {
    name,
    metric,
    unit,
    median: at(Math.floor(sorted.length / 2)),
    min: at(0),
    max: at(sorted.length - 1),
  };
}

/** A goal of "less than so much", held against the median. */
export function below(limit: number, { name, median, unit }: Row): Goal {
  return { name, value: median, goal: `< ${limit} ${unit}`, met: median < limit };
}

/** A goal of "no more than so much"; `of` is what the number is about. */
export function atMost(limit: number, of: string, value: number): Goal {
  return { name: of, value: rounded(value), goal: limit === 0 ? '0' : `≤ ${limit}`, met: value <= limit };
}

/** A goal of "at least so much", held against the median. */
export function atLeast(limit: number, { name, median }: Row): Goal {
  return { name, value: median, goal: `≥ ${limit}`, met: median >= limit };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
