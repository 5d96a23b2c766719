import {
  compileRepositoryPattern,
  compileTagPattern,
  type Matches,
  repositoryPatternProblem,
  tagPatternProblem,
} from '../access/pattern.ts';

/** What is kept, and where. A tag goes only where a rule names its repository and none keeps it. */
export interface Retention {
  readonly rules: readonly Rule[];
  /** How long what was removed can be brought back; after that a collection frees it. */
  readonly undoDays: number;
}

export interface Rule {
  /** As a person finds it: `retention.yaml:3`, or the flags. */
  readonly name: string;
  readonly repositories: readonly Glob[];
  /** So many tags of a repository, the last pushed. */
  readonly last: number | undefined;
  /** Tags that were pushed in so many days. */
  readonly days: number | undefined;
  /** Tags by name. */
  readonly tags: readonly Glob[];
  /** How long a manifest stays that no tag leads to, from its push on. */
  readonly untaggedDays: number;
}

/** A pattern as in access.yaml. */
export interface Glob {
  readonly text: string;
  readonly matches: Matches;
}

/** What a rule is made of, as it is written in a file and on the command line. */
export const NUMBERS = {
  'keep-last': { from: 1 },
  'keep-days': { from: 1 },
  'untagged-days': { from: 0 },
  'undo-days': { from: 0 },
} as const;

export type NumberName = keyof typeof NUMBERS;

/** A week: long enough to notice on Monday what went on Friday. */
export const DEFAULT_DAYS = 7;
const MOST = 99_999;

/** A whole number that may stand under this name; a string says what is wrong. */
export function parseNumber(name: NumberName, text: string): number | string {
  const { from } = NUMBERS[name];
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return value >= from && value <= MOST
    ? value
    : `${JSON.stringify(text)} is no whole number from ${from} to ${MOST}`;
}

/** A string says what is wrong. */
export function repositoryGlob(text: string): Glob | string {
  return repositoryPatternProblem(text) ?? { text, matches: compileRepositoryPattern(text) };
}

/** A string says what is wrong. */
export function tagGlob(text: string): Glob | string {
  return tagPatternProblem(text) ?? { text, matches: compileTagPattern(text) };
}

/** Whether a rule keeps anything: one that does not would empty its repositories, which nobody means. */
export function keepsSomething({ last, days, tags }: Pick<Rule, 'last' | 'days' | 'tags'>): boolean {
  return last !== undefined || days !== undefined || tags.length > 0;
}

export function rulesFor({ rules }: Pick<Retention, 'rules'>, repository: string): readonly Rule[] {
  return rules.filter((rule) => rule.repositories.some(({ matches }) => matches(repository)));
}
