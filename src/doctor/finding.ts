/** How a check ended. Only `broken` makes the doctor end with 1. */
export type Verdict = 'fine' | 'warning' | 'broken' | 'unknown' | 'skipped';

export interface Finding {
  readonly verdict: Verdict;
  /** Half a line; one more line for each further thing. */
  readonly detail: string;
  readonly fix?: Fix;
}

export interface Fix {
  /** A command, or a sentence that says what to do. */
  readonly say: string;
  /** Does it, where that is safe and can be undone. Returns in words what it did. */
  readonly safe?: () => Promise<string>;
}

export function fine(detail: string): Finding {
  return { verdict: 'fine', detail };
}

export function unknown(detail: string, say?: string): Finding {
  return { verdict: 'unknown', detail, ...fixOf(say) };
}

export function skipped(detail: string): Finding {
  return { verdict: 'skipped', detail };
}

export function warning(detail: string, say?: string, safe?: Fix['safe']): Finding {
  return { verdict: 'warning', detail, ...fixOf(say, safe) };
}

export function broken(detail: string, say?: string, safe?: Fix['safe']): Finding {
  return { verdict: 'broken', detail, ...fixOf(say, safe) };
}

const BY_WEIGHT: readonly Verdict[] = ['broken', 'warning', 'unknown', 'fine', 'skipped'];

/** One finding for several: the worst verdict, what is not well in lines of their own, and each fix once. */
export function together(findings: readonly Finding[], none: Finding): Finding {
  const verdict = BY_WEIGHT.find((each) => findings.some((finding) => finding.verdict === each));
  if (verdict === undefined) return none;
  const unwell = findings.filter((finding) => !['fine', 'skipped'].includes(finding.verdict));
  if (unwell.length === 0) {
    const said = findings.filter((finding) => finding.verdict === verdict);
    return { verdict, detail: [...new Set(said.map(({ detail }) => detail))].filter(Boolean).join('; ') };
  }
  const sorted = BY_WEIGHT.flatMap((each) => unwell.filter((finding) => finding.verdict === each));
  const detail = [...new Set(sorted.map((each) => each.detail))].join('\n');
  const fixes = sorted.flatMap(({ fix }) => (fix === undefined ? [] : [fix]));
  const say = [...new Set(fixes.map((fix) => fix.say))].join('\n');
  const safe = fixes.flatMap((fix) => (fix.safe === undefined ? [] : [fix.safe]));
  return {
    verdict,
    detail,
    ...fixOf(say === '' ? undefined : say, safe.length === 0 ? undefined : () => inOrder(safe)),
  };
}

async function inOrder(works: readonly (() => Promise<string>)[]): Promise<string> {
  const did: string[] = [];
  for (const work of works) did.push(await work());
  return did.join('; ');
}

function fixOf(say?: string, safe?: Fix['safe']): { readonly fix?: Fix } {
  if (say === undefined) return {};
  return { fix: { say, ...(safe === undefined ? {} : { safe }) } };
}
