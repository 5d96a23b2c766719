/** A pattern of repository names, ready to be asked on each request. */
export interface Pattern {
  readonly text: string;
  matches(repository: string): boolean;
}

/** A segment of a name, with `*` for any text within it. */
const SEGMENT = /^[a-z0-9._*-]+$/;
const LONGEST = 255;

/** Why this is no pattern, or `undefined` when it is one. */
export function patternProblem(text: string): string | undefined {
  if (text === '') return 'is empty';
  if (text.length > LONGEST) return `is longer than ${LONGEST} characters`;
  for (const segment of text.split('/')) {
    if (segment === '') return 'has an empty segment: no slash at its begin or end, and no two in a row';
    if (!SEGMENT.test(segment))
      return `has "${segment}" in it; names of repositories are lower-case letters, digits, . _ - and /, patterns have * too`;
    if (segment.includes('**') && segment !== '**')
      return `has "${segment}" in it; ** stands for whole segments, * for a part of one`;
  }
  return undefined;
}

/**
 * `*` is any text within a segment, `**` one segment or more: `team/**` is what is under team, not `team` itself, and
 * `**` alone is everything.
 *
 * @param text one without a problem
 */
export function compilePattern(text: string): Pattern {
  const segments = text.split('/');
  if (!text.includes('*')) return { text, matches: (repository) => repository === text };
  if (text === '**') return { text, matches: () => true };
  return { text, matches: (repository) => matchSegments(segments, repository.split('/')) };
}

/** `*` is any text. Takes time of the product of both lengths at the most. */
export function matchText(pattern: string, text: string): boolean {
  return matchSequence([...pattern], [...text], '*', 0, (one, other) => one === other);
}

function matchSegments(pattern: readonly string[], names: readonly string[]): boolean {
  return matchSequence(pattern, names, '**', 1, matchText);
}

/**
 * The classic walk with one way back: a wildcard takes as little as it can, and one element more whenever what follows
 * does not fit. Only the last wildcard is ever gone back to, so nothing is tried twice over.
 *
 * @param least how many elements a wildcard stands for at the least
 */
function matchSequence(
  pattern: readonly string[],
  sequence: readonly string[],
  wildcard: string,
  least: number,
  same: (pattern: string, element: string) => boolean,
): boolean {
  let inPattern = 0;
  let inSequence = 0;
  let back: { pattern: number; sequence: number } | undefined;
  while (inSequence < sequence.length || inPattern < pattern.length) {
    const wanted = pattern[inPattern];
    const element = sequence[inSequence];
    if (wanted === wildcard) {
      if (inSequence + least > sequence.length) return false;
      back = { pattern: inPattern + 1, sequence: inSequence + least };
      inPattern = back.pattern;
      inSequence = back.sequence;
    } else if (wanted !== undefined && element !== undefined && same(wanted, element)) {
      inPattern += 1;
      inSequence += 1;
    } else {
      if (back === undefined || back.sequence >= sequence.length) return false;
      back = { pattern: back.pattern, sequence: back.sequence + 1 };
      inPattern = back.pattern;
      inSequence = back.sequence;
    }
  }
  return true;
}
