import { atLeast, atMost, type Goal, type Row, row, type Unit } from '../result.ts';
import { FRONTS, type Front, LIMIT, MOORAGE, PEERS, SEEDS } from './fronts.ts';
import type { Kind, Sample, Work } from './works.ts';

const GIB = 1024 ** 3;
const BEST = 'Moorage / best other with TLS';
const BETTER_SEED = 'Moorage / better nginx';
const BARE = 'Moorage / no TLS';

/** Of each front, what came of each work, by its name. What does not apply is missing. */
export type Round = ReadonlyMap<Front, ReadonlyMap<string, Sample>>;

/** What is measured of each front. */
interface Line {
  readonly name: string;
  readonly unit: Unit;
  readonly better: 'more' | 'less';
  readonly of: (samples: ReadonlyMap<string, Sample>) => number;
}

/** A ratio, the median of those of the rounds, and what it should be. */
interface Held {
  readonly row: Row;
  readonly goal: Goal;
}

/** What was measured, and Moorage held against the others in each round. */
export function evaluate(works: readonly Work[], rounds: readonly Round[]) {
  const held: Held[] = [];
  const lines: Line[] = [];
  for (const work of works) {
    const line = lineOf(work);
    lines.push(line);
    held.push(againstBest(line, rounds));
    if (work.kind === 'large' || work.kind === 'small')
      held.push(againstSeeds(line, cpuOf(works, work.kind), rounds));
    if (work.kind === 'push') held.push(againstBare(line, rounds));
  }
  const written = writtenOf(works, 'push');
  for (const line of [...KINDS.map((kind) => cpuOf(works, kind)), written]) {
    lines.push(line);
    held.push(againstBest(line, rounds));
  }
  const spooled = (['large', 'small'] as const).map((kind) => writtenOf(works, kind));
  const rows = [...lines, ...spooled].flatMap((line) =>
    FRONTS.flatMap((front) => rowOf(line, front, rounds)),
  );
  const ours = row(written.name, '', figures(written, MOORAGE, rounds));
  return {
    rows: [...rows, ...held.map((each) => each.row)],
    goals: [...held.map(({ goal }) => goal), atMost(1.05, `Moorage: ${written.name}`, ours.median)],
    notes: noise(held),
  };
}

const KINDS = ['large', 'small', 'push'] as const;
const MOVED: Readonly<Record<(typeof KINDS)[number], string>> = {
  large: 'pulled in one blob',
  small: 'pulled in blobs of 1 MiB',
  push: 'pushed',
};

function lineOf({ name, unit }: Work): Line {
  return { name, unit, better: 'more', of: (samples) => samples.get(name)?.value ?? Number.NaN };
}

function cpuOf(works: readonly Work[], kind: (typeof KINDS)[number]): Line {
  const of = perByte(works, kind, ({ cpu }) => cpu * GIB);
  return { name: `CPU per GiB ${MOVED[kind]}`, unit: 's', better: 'less', of };
}

function writtenOf(works: readonly Work[], kind: (typeof KINDS)[number]): Line {
  const of = perByte(works, kind, ({ written }) => written);
  return { name: `written to disk per byte ${MOVED[kind]}`, unit: 'bytes', better: 'less', of };
}

/** Over all works of a kind in a round. */
function perByte(works: readonly Work[], kind: Kind, cost: (sample: Sample) => number): Line['of'] {
  return (samples) => {
    const those = works.filter((work) => work.kind === kind).flatMap(({ name }) => samples.get(name) ?? []);
    const total = (of: (sample: Sample) => number) => those.reduce((sum, each) => sum + of(each), 0);
    return total(cost) / total(({ bytes }) => bytes);
  };
}

function rowOf(line: Line, front: Front, rounds: readonly Round[]): Row[] {
  const each = figures(line, front, rounds).map((value) => (value < 100 ? value : Math.round(value)));
  return each.some(Number.isNaN) ? [] : [row(front, line.name, each, line.unit)];
}

function figures({ of }: Line, front: Front, rounds: readonly Round[]): number[] {
  return rounds.map((round) => of(round.get(front) ?? new Map()));
}

function againstBest(line: Line, rounds: readonly Round[]): Held {
  const peer = best(line, PEERS, rounds);
  const ratio = ratioOf(BEST, line, peer, rounds);
  const name = `${line.name}: Moorage / ${peer}`;
  return {
    row: ratio,
    goal: line.better === 'more' ? { ...atLeast(1, ratio), name } : atMost(1, name, ratio.median),
  };
}

/** Faster by so much, or as much cheaper. */
function againstSeeds(line: Line, cpu: Line, rounds: readonly Round[]): Held {
  const [faster, cheaper] = [1.3, 0.7];
  const seed = best(line, SEEDS, rounds);
  const ratio = ratioOf(BETTER_SEED, line, seed, rounds);
  const { median: cost } = ratioOf('', cpu, seed, rounds);
  const goal = {
    name: `${line.name}: Moorage / ${seed}`,
    value: ratio.median,
    goal: `≥ ${faster}, or CPU ≤ ${cheaper}: it is ${cost}`,
    met: ratio.median >= faster || cost <= cheaper,
  };
  return { row: ratio, goal };
}

function againstBare(line: Line, rounds: readonly Round[]): Held {
  const ratio = ratioOf(BARE, line, LIMIT, rounds);
  return { row: ratio, goal: { ...atLeast(0.95, ratio), name: `${line.name}: Moorage / ${LIMIT}` } };
}

/** By the median over all rounds. */
function best(line: Line, among: readonly Front[], rounds: readonly Round[]): Front {
  const sign = line.better === 'more' ? 1 : -1;
  const worth = (front: Front) => sign * row('', '', figures(line, front, rounds)).median;
  return among.reduce((leader, front) => (worth(front) > worth(leader) ? front : leader));
}

function ratioOf(name: string, line: Line, to: Front, rounds: readonly Round[]): Row {
  const theirs = figures(line, to, rounds);
  const ratios = figures(line, MOORAGE, rounds).map((ours, round) => ours / (theirs[round] ?? Number.NaN));
  return row(name, line.name, ratios, 'times');
}

/** What was missed by no more than what the rounds differ by. */
function noise(held: readonly Held[]): string[] {
  const close = held.filter(({ row: { min, max }, goal }) => {
    const limit = Number(/[\d.]+/.exec(goal.goal)?.[0]);
    return !goal.met && min <= limit && limit <= max;
  });
  if (close.length === 0) return [];
  return [
    `Missed within the noise, the rounds lying on both sides: ${close.map(({ goal }) => goal.name).join('; ')}.`,
  ];
}
