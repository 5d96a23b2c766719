import { isNothing, type Row } from '../upgrade/plan.ts';
import type { Leap } from '../upgrade/registry-version.ts';
import type { StepRecord } from './story.ts';

type Line = readonly [title: string, text: string];

const ID_DIGITS = 12;

/** What `npm run upgrade` shows before anything is changed. */
export function planInWords(plan: readonly Row[], leap: Leap, unknown: readonly string[]): Line[] {
  const notes = [...(leap.kind === 'small' ? [] : [leap.words]), ...unknown];
  return [
    ...plan.map((row): Line => [row.part, rowInWords(row)]),
    ...(notes.length === 0 ? [] : ([['Mind', notes.join('\n')]] as const)),
    ...(isNothing(plan) ? ([['Upgrade', 'nothing to do']] as const) : []),
  ];
}

function rowInWords({ now, next, why }: Row): string {
  if (now !== undefined && why.length === 0) return `${imageInWords(now)}, stays`;
  const from = now === undefined ? 'does not run' : imageInWords(now);
  const same = now?.reference === next.reference && now.id === next.id;
  const to = same ? 'the same image, started anew' : imageInWords(next);
  return [from, `→ ${to}`, why.join('; ')].join('\n');
}

function imageInWords({ reference, id, version }: Row['next']): string {
  const short = id?.replace(/^sha256:/, '').slice(0, ID_DIGITS) ?? 'to be got';
  return [reference, version, `(${short})`].filter((part) => part !== undefined).join(' ');
}

/** `registry registry:2.8.3 → registry:3.0.0, gate moorage/gate:…`: what was replaced, in one line. */
export function planSummary(plan: readonly Row[]): string {
  const replaced = plan.filter(({ why }) => why.length > 0);
  const words = replaced.map(({ part, now, next }) => {
    // Of an image that is yet to be got only the name is known.
    const versions = now?.version !== undefined && next.version !== undefined;
    const from = (versions ? now.version : now?.reference) ?? 'nothing';
    const to = versions ? next.version : next.reference;
    return from === to ? `${part} anew` : `${part} from ${from} to ${to}`;
  });
  return words.join(', ');
}

export function planAsJson(plan: readonly Row[], changed: boolean, steps: readonly StepRecord[]): string {
  return `${JSON.stringify({ changed, plan, steps }, null, 2)}\n`;
}
