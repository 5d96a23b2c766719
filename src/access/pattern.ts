/** Tells whether a repository, or a tag, is meant. */
export type Matches = (text: string) => boolean;

/** distribution takes no longer name of a repository (reference.NameTotalLengthMax). */
const LONGEST_REPOSITORY = 255;
/** OCI distribution-spec 1.1, "Pulling manifests": a tag has 128 characters at the most. */
const LONGEST_TAG = 128;

/** Why this can't be a pattern of repositories, or `undefined` when it can. */
export function repositoryPatternProblem(pattern: string): string | undefined {
  if (pattern === '') return 'there is no pattern; ** means every repository';
  if (pattern.length > LONGEST_REPOSITORY)
    return `a repository has ${LONGEST_REPOSITORY} characters at the most`;
  if (/[A-Z]/.test(pattern)) return 'a repository is in lower case';
  const odd = /[^a-z0-9._/*-]/u.exec(pattern);
  if (odd !== null) return `no repository has ${JSON.stringify(odd[0])} in its name`;
  const segments = pattern.split('/');
  if (segments.includes('')) return 'a slash stands between two names, not at an end and not twice';
  const glued = segments.find((segment) => segment !== '**' && segment.includes('**'));
  if (glued !== undefined) return `** stands alone between slashes; write ${glued.replace(/\*+/g, '*')}`;
  return undefined;
}

/** Why this can't be a pattern of tags, or `undefined` when it can. */
export function tagPatternProblem(pattern: string): string | undefined {
  if (pattern === '') return 'there is no pattern of tags; * means every tag';
  if (pattern.length > LONGEST_TAG) return `a tag has ${LONGEST_TAG} characters at the most`;
  const odd = /[^\w.*-]/u.exec(pattern);
  if (odd !== null) return `no tag has ${JSON.stringify(odd[0])} in its name`;
  if (pattern.includes('**')) return 'a tag has no segments; write a single *';
  return undefined;
}

/**
 * `*` is any text within one segment, `**` any number of segments, but at least one at the end: `team/**` is what is
 * under team/, not `team`. Its time grows with the length of pattern times name, never faster: nothing is tried twice.
 */
export function compileRepositoryPattern(pattern: string): Matches {
  const segments = pattern.split('/');
  if (segments.at(-1) === '**') segments.push('*');
  const runs = splitAt(segments, '**').map((run) => run.map(compileSegment));
  const literal = /^[^*]*/.exec(pattern)?.[0] ?? '';
  if (literal === pattern) return (repository) => repository === pattern;
  return (repository) => repository.startsWith(literal) && matchRuns(runs, repository.split('/'));
}

/** `*` is any text. */
export function compileTagPattern(pattern: string): Matches {
  return compileSegment(pattern);
}

/** The texts between the stars have to follow each other; taking each as early as it comes never spoils a later one. */
function compileSegment(pattern: string): Matches {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return (text) => text === pattern;
  return (text) => {
    const end = text.length - last.length;
    if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    for (const part of rest) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= end;
  };
}

/** The same, a level up: the runs of segments between `**` in place of the texts between `*`. */
function matchRuns(runs: readonly (readonly Matches[])[], segments: readonly string[]): boolean {
  const [first = [], ...rest] = runs;
  const last = rest.pop();
  if (last === undefined) return segments.length === first.length && runAt(first, segments, 0);
  const end = segments.length - last.length;
  if (end < first.length || !runAt(first, segments, 0) || !runAt(last, segments, end)) return false;
  let at = first.length;
  for (const run of rest) {
    while (at + run.length <= end && !runAt(run, segments, at)) at += 1;
    at += run.length;
    if (at > end) return false;
  }
  return true;
}

function runAt(run: readonly Matches[], segments: readonly string[], at: number): boolean {
  return run.every((matches, index) => matches(segments[at + index] ?? ''));
}

function splitAt(segments: readonly string[], separator: string): string[][] {
  const runs: string[][] = [[]];
  for (const segment of segments) {
    if (segment === separator) runs.push([]);
    else runs.at(-1)?.push(segment);
  }
  return runs;
}
