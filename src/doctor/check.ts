import { Failure, WrongInput } from '../errors.ts';
import type { Report } from '../step.ts';
import { broken, type Finding, unknown } from './finding.ts';
import { plainly, unanswered } from './words.ts';

export type Group = 'Machine' | 'Name' | 'Certificate' | 'Stack' | 'Path of a client';

/** One thing that is looked at. Each looks, decides by a pure function, and says what to do; it changes nothing. */
export interface Check<C> {
  /** As `--only` takes it. */
  readonly name: string;
  readonly group: Group;
  /** Milliseconds after which it is given up, with its reason beside it where it is set. */
  readonly within: number;
  /** It moves much data or takes its time: `--quick` leaves it out. */
  readonly slow?: true;
  readonly run: (context: C, turn: Turn) => Promise<Finding>;
}

export interface Turn {
  readonly report: Report;
  /** Fires when the check is given up: connections are to be closed. */
  readonly signal: AbortSignal;
}

export interface Result {
  readonly name: string;
  readonly group: Group;
  readonly finding: Finding;
}

/** Files, engines, and servers in the same network answer at once or not at all. */
export const SOON = 20_000;

export interface Told {
  /** What is waited for, in half a line. */
  readonly waiting: (name: string, detail: string) => void;
  readonly found: (result: Result) => void;
}

/** Checks that do not disturb each other: all at once, told in their order. */
export async function atOnce<C>(checks: readonly Check<C>[], context: C, told: Told): Promise<Result[]> {
  const running = checks.map((check) => ({ check, result: conduct(check, context, () => undefined) }));
  const results: Result[] = [];
  for (const { check, result } of running) {
    told.waiting(check.name, '');
    results.push(await result);
    told.found(await result);
  }
  return results;
}

/** Checks that build on each other, or would disturb each other. */
export async function inTurn<C>(checks: readonly Check<C>[], context: C, told: Told): Promise<Result[]> {
  const results: Result[] = [];
  for (const check of checks) {
    told.waiting(check.name, '');
    const result = await conduct(check, context, (detail) => told.waiting(check.name, detail));
    results.push(result);
    told.found(result);
  }
  return results;
}

/** Never throws: what a check stumbles over is its finding, and the others go on. */
export async function conduct<C>(check: Check<C>, context: C, report: Report): Promise<Result> {
  const { name, group, within } = check;
  const giveUp = new AbortController();
  let tooLate: (finding: Finding) => void = () => undefined;
  const late = new Promise<Finding>((resolve) => {
    tooLate = resolve;
  });
  const timer = setTimeout(() => {
    tooLate(unknown(`no end within ${within / 1000} s`));
    giveUp.abort();
  }, within);
  try {
    const looked = check.run(context, { report, signal: giveUp.signal }).catch(stumbled);
    return { name, group, finding: await Promise.race([looked, late]) };
  } finally {
    clearTimeout(timer);
  }
}

/** What somebody else made fail says what to do; everything else leaves open how things are. */
function stumbled(error: unknown): Finding {
  if (error instanceof Failure) return broken(error.message.trim(), error.remedy);
  if (error instanceof WrongInput)
    return broken(error.problems.map(({ input, message }) => `${input}: ${message}`).join('\n'));
  return unknown(unanswered(error) ?? `can't be looked at: ${plainly(error)}`);
}
