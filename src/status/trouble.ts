/** What is wrong. `broken`: somebody can't do what they should be able to; `attention`: not yet. */
export interface Trouble {
  readonly severity: 'broken' | 'attention';
  /** For programs. */
  readonly code: string;
  readonly what: string;
  /** What to do, a command as a rule. */
  readonly remedy: string;
}
